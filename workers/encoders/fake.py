"""A deterministic encoder without a model, for tests and drills where meaning does not matter.

A picture becomes its 16 x 16 thumbnail, a text the colours it names: so equal pictures are equal,
similar ones near, and "red" finds red pictures.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageColor

from workers.encoders.protocol import Identity, Vectors, picture_of, unit_padded

SIDE = 16


class FakeEncoder:
    def __init__(self, variant: str = "") -> None:
        self.identity = Identity(
            model="fake",
            weights=hashlib.sha256(f"fake {variant}".encode()).hexdigest(),
            config={},
            preprocessing={"side": SIDE},
            tokenizer={"words": True},
            dimensions=SIDE * SIDE * 3,
            context_length=32,
        )
        self._turn = len(variant)  # another variant is another space

    def prepare(self, picture: Image.Image) -> Any:
        small = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)
        return np.asarray(small, dtype=np.float32).reshape(-1) / 255.0 - 0.45

    def prepare_jpeg(self, data: bytes) -> Any:
        return self.prepare(picture_of(data))

    def encode_pictures(self, prepared: Sequence[Any]) -> Vectors:
        return unit_padded(np.roll(np.stack(prepared), self._turn, axis=1) + 1e-6)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        return self.encode_pictures([self.prepare(_swatch(text)) for text in texts])

    def count_tokens(self, text: str) -> int:
        return len(text.split()) + 2


def _swatch(text: str) -> Image.Image:
    for word in text.lower().split():
        if word in ImageColor.colormap:
            return Image.new("RGB", (SIDE, SIDE), word)
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
    noise = np.random.default_rng(seed).integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)
    return Image.fromarray(noise)

"""Adapters: a small residual linear map on both towers of another encoder. No torch here.

v' = unit(v + up (down v) + bias), of rank `down.shape[0]`, over the numbers that the model has:
the zeros behind them stay zeros. The same map turns stored vectors and fresh ones.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from safetensors.numpy import load, save

from workers.encoders.protocol import Encoder, EncoderRefused, Identity, Vectors, unit_padded

PREFIX = "adapter:"
TOWERS = ("pictures", "texts")
PARTS = ("down", "up", "bias")


@dataclass(frozen=True)
class Map:
    """`down` (rank, d), `up` (d, rank), `bias` (d,), float32."""

    down: npt.NDArray[np.float32]
    up: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]

    def __call__(self, vectors: Vectors) -> Vectors:
        """(n, 768) -> (n, 768), unit length."""
        used = vectors[:, : len(self.bias)]
        return unit_padded(used + (used @ self.down.T) @ self.up.T + self.bias)


@dataclass(frozen=True)
class Pairs:
    """Row by row a picture and a text, both (n, 768). A picture has its caption, and may have another row for its tags.

    `words` (n,) is equal where texts are, `groups` (n,) where the captions of the pictures are: the `words` of
    their captions.
    """

    pictures: Vectors
    texts: Vectors
    groups: npt.NDArray[np.int64]
    words: npt.NDArray[np.int64]

    def __getitem__(self, rows: npt.NDArray[np.int64]) -> Pairs:
        return Pairs(self.pictures[rows], self.texts[rows], self.groups[rows], self.words[rows])

    def of_captions(self) -> Pairs:
        """One row a picture, without those of tags."""
        return self[np.flatnonzero(self.words == self.groups)]


@dataclass(frozen=True)
class Adapter:
    """What training gives: two maps, and the scale (and bias, for the sigmoid loss) that were learned with them.

    `parent` is the fingerprint of the space whose vectors it turns; on others it would mean nothing.
    """

    pictures: Map
    texts: Map
    parent: str
    loss: str
    scale: float
    bias: float | None = None

    def as_bytes(self) -> bytes:
        """As a safetensors file: the maps as tensors, the rest as its metadata."""
        tensors = {f"{tower}.{part}": getattr(getattr(self, tower), part) for tower in TOWERS for part in PARTS}
        said = {"parent": self.parent, "loss": self.loss, "scale": self.scale, "bias": self.bias}
        return save(tensors, metadata={"adapter": json.dumps(said)})  # one entry: safetensors keeps no order


def read_adapter(data: bytes) -> Adapter:
    """Raises `EncoderRefused` when the bytes are no adapter."""
    try:
        tensors = load(data)
        length = int.from_bytes(data[:8], "little")  # safetensors' own order: length, header as JSON, numbers
        said = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["adapter"])
        pictures, texts = (Map(*(tensors[f"{tower}.{part}"] for part in PARTS)) for tower in TOWERS)
        return Adapter(pictures, texts, **said)
    except Exception as error:  # safetensors has errors of its own for each kind of damage
        raise EncoderRefused(f"This file is no adapter: {error}") from error


class AdaptedEncoder:
    """Another encoder with an adapter behind each of its towers; `find_adapter` has seen that they belong together."""

    def __init__(self, base: Encoder, adapter: Adapter, model: str) -> None:
        self.base = base
        self._adapter = adapter
        self.identity: Identity = replace(
            base.identity,
            model=model,
            weights=model.removeprefix(PREFIX),
            config={"parent": adapter.parent, "loss": adapter.loss},
            scale=adapter.scale,
            bias=adapter.bias,
        )

    def prepare(self, picture: Image.Image) -> Any:
        return self.base.prepare(picture)

    def prepare_jpeg(self, data: bytes) -> Any:
        return self.base.prepare_jpeg(data)

    def encode_pictures(self, prepared: Sequence[Any]) -> Vectors:
        return self._adapter.pictures(self.base.encode_pictures(prepared))

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        return self._adapter.texts(self.base.encode_texts(texts))

    def count_tokens(self, text: str) -> int:
        return self.base.count_tokens(text)

"""Golden pictures and texts: a few known inputs whose vectors every worker must reproduce.

A fingerprint says that the files are the same; goldens say that what is computed from them is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from workers.encoders.protocol import Encoder, EncoderRefused, Vectors

TEXTS = ("a red boat", "a photo of a dog in the snow", "three people at night", "a")
LEAST = 0.999


def golden_pictures() -> list[Image.Image]:
    """Four pictures that depend on no file and no font: a ramp, stripes, a disc, noise."""
    y, x = np.mgrid[0:240, 0:320]
    ramp = np.stack([x * 255 // 319, y * 255 // 239, (x + y) * 255 // 558], axis=-1)
    stripes = np.where((x // 20 % 2 == 0)[..., None], [200, 40, 30], [30, 60, 180])
    disc = np.where((((x - 160) ** 2 + (y - 120) ** 2) < 80**2)[..., None], [250, 220, 60], [20, 90, 60])
    noise = np.random.default_rng(7).integers(0, 255, (12, 16, 3)).repeat(20, axis=0).repeat(20, axis=1)
    return [Image.fromarray(array.astype(np.uint8)) for array in (ramp, stripes, disc, noise)]


def golden_vectors(encoder: Encoder) -> dict[str, Vectors]:
    prepared = [encoder.prepare(picture) for picture in golden_pictures()]
    return {"pictures": encoder.encode_pictures(prepared), "texts": encoder.encode_texts(TEXTS)}


def as_json(vectors: dict[str, Vectors]) -> dict[str, Any]:
    return {name: np.round(rows, 5).tolist() for name, rows in vectors.items()}


def check_goldens(encoder: Encoder, stored: dict[str, Any]) -> None:
    """Raises `EncoderRefused` when any golden vector turned away by more than a rounding."""
    for name, rows in golden_vectors(encoder).items():
        if name not in stored:
            continue
        cosines = (rows * np.asarray(stored[name], dtype=np.float32)).sum(axis=1)
        if cosines.min() < LEAST:
            raise EncoderRefused(
                f"This machine computes other vectors than the space holds: golden {name} agree only to "
                f"{cosines.min():.4f} where {LEAST} is needed. Compare the versions of torch and open_clip."
            )

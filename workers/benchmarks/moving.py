"""Pictures of a made film: soft shapes that drift, with grain, so that they cost a codec what footage does."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]


def moving_picture(size: tuple[int, int], scene: int, number: int) -> Pixels:
    """(h, w, 3): picture `number` of a film, while `scene` is shown."""
    moved = np.roll(_backdrop(size, scene), (number % 97, 2 * number), axis=(0, 1))
    grain = np.roll(_grain(size), (31 * number % 211, 17 * number % 307), axis=(0, 1))
    return np.asarray(np.clip(moved.astype(np.int16) + grain, 0, 255), dtype=np.uint8)


@lru_cache(maxsize=4)
def _backdrop(size: tuple[int, int], scene: int) -> Pixels:
    dice = np.random.default_rng(scene)
    coarse = Image.fromarray(dice.integers(0, 255, (9, 16, 3), dtype=np.uint8))
    return np.asarray(coarse.resize(size, Image.Resampling.BICUBIC))


@lru_cache(maxsize=2)
def _grain(size: tuple[int, int]) -> npt.NDArray[np.int16]:
    dice = np.random.default_rng(0)
    grain: npt.NDArray[np.int16] = dice.integers(-4, 5, (size[1], size[0], 1), dtype=np.int16)
    return grain

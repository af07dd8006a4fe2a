"""Pictures come to a model's size by torch, and are what Pillow would have made of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from torchvision.transforms import InterpolationMode, Resize

from archive.sample import PHOTOGRAPHS
from workers.encoders.load import open_encoder
from workers.encoders.resizing import QuickResize, quickened

CAT = PHOTOGRAPHS / "animals/cat.jpg"


def photograph(mode: str = "RGB") -> Image.Image:
    with Image.open(CAT) as picture:
        return picture.convert(mode)


def pixels(picture: Image.Image) -> npt.NDArray[np.int16]:
    return np.asarray(picture, dtype=np.int16)


@pytest.mark.parametrize("interpolation", [InterpolationMode.BICUBIC, InterpolationMode.BILINEAR])
@pytest.mark.parametrize("size", [224, (224, 224), (64, 64), 640])
def test_a_photograph_is_as_pillow_makes_it(size: Any, interpolation: InterpolationMode) -> None:
    slow = Resize(size, interpolation)
    ours, pillows = pixels(QuickResize(slow)(photograph())), pixels(slow(photograph()))
    assert ours.shape == pillows.shape
    assert np.abs(ours - pillows).max() <= 2
    assert (ours != pillows).mean() < 0.02


@pytest.mark.parametrize("mode", ["L", "RGBA", "P"])
def test_a_picture_of_another_mode_becomes_rgb(mode: str) -> None:
    small = QuickResize(Resize(32))(photograph(mode))
    assert small.mode == "RGB"
    assert min(small.size) == 32


@pytest.mark.parametrize("mode", ["shortest", "squash", "longest"])
def test_every_way_to_fill_the_window_keeps_its_pixels(mode: Any) -> None:
    config = PreprocessCfg(size=96, interpolation="bicubic", resize_mode=mode)
    ours = quickened(image_transform_v2(config, is_train=False))(photograph())
    pillows = image_transform_v2(config, is_train=False)(photograph())
    assert ours.shape == pillows.shape == (3, 96, 96)
    assert float((ours - pillows).abs().max()) < 2 / 255 / 0.26


def test_the_vectors_of_the_shipped_models_stay() -> None:
    for name in ("drawn-scenes", "everyday-things"):
        encoder = open_encoder(f"shipped:{name}")
        config = PreprocessCfg(**{**encoder.identity.preprocessing, "fill_color": 0})
        slow = image_transform_v2(config, is_train=False)
        ours, pillows = encoder.encode_pictures([encoder.prepare(photograph()), slow(photograph())])
        assert float(ours @ pillows) > 0.9995

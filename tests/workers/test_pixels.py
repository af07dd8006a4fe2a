"""Pictures come to a model's size by torch, and their numbers are what Pillow and the slow way would have made."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from torchvision.transforms import Compose, InterpolationMode, Resize, ToTensor

from archive.sample import PHOTOGRAPHS
from workers.encoders.device import Device
from workers.encoders.load import open_encoder
from workers.encoders.pixels import QuickResize, halved
from workers.encoders.protocol import Damaged

CAT = PHOTOGRAPHS / "animals/cat.jpg"


def photograph(mode: str = "RGB") -> Image.Image:
    with Image.open(CAT) as picture:
        return picture.convert(mode)


def pixels(picture: Image.Image) -> npt.NDArray[np.int16]:
    return np.asarray(picture, dtype=np.int16).transpose(2, 0, 1)


@pytest.mark.parametrize("interpolation", [InterpolationMode.BICUBIC, InterpolationMode.BILINEAR])
@pytest.mark.parametrize("size", [224, (224, 224), (64, 64), 640])
def test_a_photograph_is_as_pillow_makes_it(size: Any, interpolation: InterpolationMode) -> None:
    slow = Resize(size, interpolation)
    ours, pillows = QuickResize(slow)(photograph()).numpy().astype(np.int16), pixels(slow(photograph()))
    assert ours.shape == pillows.shape
    assert np.abs(ours - pillows).max() <= 2
    assert (ours != pillows).mean() < 0.02


@pytest.mark.parametrize("mode", ["L", "RGBA", "P"])
def test_a_picture_of_another_mode_becomes_rgb(mode: str) -> None:
    small = QuickResize(Resize(32))(photograph(mode))
    assert small.shape[0] == 3
    assert min(small.shape[1:]) == 32


@pytest.mark.parametrize("size", [96, (64, 96)])
@pytest.mark.parametrize("mode", ["shortest", "squash", "longest"])
def test_every_way_to_fill_the_window_gives_the_numbers_of_the_slow_way(mode: Any, size: Any) -> None:
    config = PreprocessCfg(size=size, interpolation="bicubic", resize_mode=mode)
    slow = image_transform_v2(config, is_train=False)
    window, numbers = halved(slow, Device("cpu", torch.float32, "fp32"))
    shown = window(photograph())
    assert (shown.dtype, shown.shape) == (torch.uint8, (3, *((size, size) if size == 96 else size)))
    assert torch.equal(window(CAT.read_bytes()), shown)
    ours, pillows = numbers(shown[None])[0], slow(photograph())
    assert float((ours - pillows).abs().max()) < 2 / 255 / 0.26
    assert float((ours - pillows).abs().median()) < 1e-6


def test_preprocessing_that_ends_otherwise_is_refused() -> None:
    with pytest.raises(TypeError, match="does not end with Normalize"):
        halved(Compose([Resize(8), ToTensor(), ToTensor(), ToTensor()]), Device("cpu", torch.float32, "fp32"))


def test_the_vectors_of_the_shipped_models_stay() -> None:
    for name in ("drawn-scenes", "everyday-things"):
        encoder: Any = open_encoder(f"shipped:{name}")
        config = PreprocessCfg(**{**encoder.identity.preprocessing, "fill_color": 0})
        slow = image_transform_v2(config, is_train=False)(photograph())
        ours = encoder.encode_pictures([encoder.prepare(photograph())])[0]
        with torch.inference_mode():
            pillows = encoder._model.encode_image(slow[None].to(encoder.device.dtype), normalize=True)[0]
        assert float(ours[: len(pillows)] @ pillows.float().numpy()) > 0.9995


def test_a_jpeg_is_prepared_as_pillow_reads_it_and_a_cut_one_is_refused() -> None:
    encoder: Any = open_encoder("shipped:everyday-things")
    data = CAT.read_bytes()
    assert torch.equal(encoder.prepare_jpeg(data), encoder.prepare(photograph()))
    grey = io.BytesIO()
    photograph("L").save(grey, "JPEG")
    assert encoder.prepare_jpeg(grey.getvalue()).shape == encoder.prepare_jpeg(data).shape
    for damaged in (data[: len(data) // 2], b"no picture", b"", bomb()):
        with pytest.raises(Damaged):
            encoder.prepare_jpeg(damaged)


def bomb() -> bytes:
    """Its header says 65,000 x 65,000."""
    plain = io.BytesIO()
    photograph().save(plain, "JPEG")
    data = plain.getvalue()
    frame = data.index(b"\xff\xc0")
    return data[: frame + 5] + (65_000).to_bytes(2, "big") * 2 + data[frame + 9 :]


def test_a_full_memory_is_no_fault_of_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: Any) -> torch.Tensor:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 12 bytes")

    monkeypatch.setattr("workers.encoders.pixels.decode_jpeg", no_room)
    encoder: Any = open_encoder("shipped:everyday-things")
    with pytest.raises(MemoryError):
        encoder.prepare_jpeg(CAT.read_bytes())

"""The two halves of a model's preprocessing: a window of bytes, cut in decode threads, and numbers on the device.

A byte for a value is a quarter of what float32 takes, to keep until its batch is full and to bring to a GPU; a whole
batch becomes numbers in a fifth of the time that one picture after the other takes.

Pictures are resized by torch: of Pillow's bicubic of photographs to 224 pixels three values in a thousand differ, by
one level of 256, in a fifth of the time, and the vectors of the shipped models keep a cosine of 0.9999 and more. Both
widen the filter when they shrink a picture ("antialias"), without which models see other pictures than they were
trained on.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from PIL import Image
from torchvision.io import ImageReadMode, decode_jpeg
from torchvision.transforms import CenterCrop, Compose, Normalize, Resize
from torchvision.transforms.v2 import functional as pictures

from workers.encoders.device import Device
from workers.encoders.protocol import decoding, picture_of
from workers.encoders.running import is_full

LEVELS = 255


class Window:
    """A picture or a JPEG in, uint8 (3, side, side) out: what the model looks at, cut as it was trained."""

    def __init__(self, steps: list[Any]) -> None:
        self._steps = Compose([QuickResize(step) if type(step) is Resize else step for step in steps])
        # Steps of open_clip's own (all of the picture in a window, a window that is no square) know pictures only.
        self._decode = _decoded if all(type(step) in (Resize, CenterCrop) for step in steps) else picture_of

    def __call__(self, shown: Image.Image | bytes) -> torch.Tensor:
        """Raises `Damaged` and MemoryError."""
        with told_when_full():
            return _as_bytes(self._steps(self._decode(shown) if isinstance(shown, bytes) else shown))


class Numbers:
    """uint8 (n, 3, side, side) in, on the device and normalised out. As ToTensor and Normalize do, in two steps."""

    def __init__(self, normalise: Normalize, device: Device) -> None:
        mean, std = (torch.tensor(part, device=device.name).view(3, 1, 1) for part in (normalise.mean, normalise.std))
        self._scale, self._shift = 1 / (LEVELS * std), -mean / std
        self._device = device

    def __call__(self, pixels: torch.Tensor) -> torch.Tensor:
        numbers = pixels.to(self._device.name).float()
        return numbers.mul_(self._scale).add_(self._shift).to(self._device.dtype)


class QuickResize:
    """In the place of a `Resize`: a picture or its pixels in, uint8 (3, height, width) of the wanted size out."""

    def __init__(self, slow: Resize) -> None:
        self.size = [slow.size] if isinstance(slow.size, int) else list(slow.size)
        self.interpolation = slow.interpolation
        self.max_size = slow.max_size

    def __call__(self, picture: Image.Image | torch.Tensor) -> torch.Tensor:
        small: torch.Tensor = pictures.resize(
            _as_bytes(picture), self.size, self.interpolation, max_size=self.max_size, antialias=True
        )
        return small


def halved(transform: Any, device: Device) -> tuple[Window, Numbers]:
    """Of open_clip's preprocessing: steps that shape the picture, to RGB, to a tensor, normalise."""
    *shaping, _, _, normalise = transform.transforms
    if not isinstance(normalise, Normalize):
        raise TypeError(f"preprocessing does not end with Normalize: {transform}")
    return Window(shaping), Numbers(normalise, device)


@contextmanager
def told_when_full() -> Iterator[None]:
    """torch has words of its own for a MemoryError."""
    try:
        yield
    except RuntimeError as error:
        if is_full(error):
            raise MemoryError(str(error)) from error
        raise


def _decoded(data: bytes) -> torch.Tensor:
    """(3, height, width). Pillow's pixels, for both use libjpeg-turbo, but without Python's lock: of Pillow two threads
    decode a quarter more than one, of this twice as much. Raises `Damaged`."""
    with decoding(), told_when_full():
        Image.open(io.BytesIO(data), formats=["JPEG"])  # its header only: this one knows a bomb
        pixels: torch.Tensor = decode_jpeg(torch.frombuffer(bytearray(data), dtype=torch.uint8), ImageReadMode.RGB)
    return pixels


def _as_bytes(picture: Image.Image | torch.Tensor) -> torch.Tensor:
    if isinstance(picture, torch.Tensor):
        return picture
    pixels: torch.Tensor = pictures.pil_to_tensor(picture if picture.mode == "RGB" else picture.convert("RGB"))
    return pixels

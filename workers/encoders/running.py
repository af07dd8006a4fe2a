"""One forward pass, whatever the model: without gradients, and with a full device told apart from a failure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch

from workers.encoders.device import Device, give_back_freed_memory
from workers.encoders.protocol import EncoderRefused, OutOfMemory, Vectors, first_line, unit_padded
from workers.encoders.weights import is_away

T = TypeVar("T")

# CUDA has an error of its own; MPS and the CPU's allocator only have words.
FULL = ("out of memory", "can't allocate memory", "not enough memory")
NO_ROOM = "The device has not the memory for this model now. End what else runs on it, or take a smaller model."


def run(forward: Callable[[], torch.Tensor], device: Device) -> Vectors:
    """(n, 768) float32, unit length, of what `forward` gives. Raises `OutOfMemory` when the device is full."""
    try:
        with torch.inference_mode():
            return unit_padded(forward().float().cpu().numpy())
    except RuntimeError as error:
        if not is_full(error):
            raise
    free_memory(device)  # out of the handler: an exception in scope would keep the tensors alive (pytorch#18853)
    raise OutOfMemory(NO_ROOM)


def opened(open_model: Callable[[], T]) -> T:
    """What `open_model` gives. Raises `OutOfMemory` where the device is full by now, and what else it raises."""
    try:
        return open_model()
    except (RuntimeError, MemoryError) as error:
        if not is_full(error):
            raise
    free_memory()  # out of the handler, as above
    raise OutOfMemory(NO_ROOM)


@contextmanager
def reading(refusal: Callable[[str], str]) -> Iterator[None]:
    """A library reads a model's files. Each format has errors of its own for a damaged or foreign one: they become an
    `EncoderRefused` with the sentence that `refusal` makes of what was said. A full device, or a disk that cannot be
    read at the moment, is none of that, and passes on as it is."""
    try:
        yield
    except Exception as error:
        if is_full(error) or is_away(error):
            raise
        raise EncoderRefused(refusal(first_line(error))) from error


def is_full(error: BaseException) -> bool:
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and any(word in str(error).lower() for word in FULL)
    )


def free_memory(device: Device | None = None) -> None:
    """Give back what torch and the C library keep for later."""
    give_back_freed_memory()
    name = device.name if device else ""
    if torch.cuda.is_available() and not name.startswith(("cpu", "mps")):
        torch.cuda.empty_cache()
    elif torch.backends.mps.is_available() and not name.startswith("cpu"):
        torch.mps.empty_cache()

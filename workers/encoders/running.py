"""One forward pass, whatever the model: without gradients, and with a full device told apart from a failure."""

from __future__ import annotations

from collections.abc import Callable

import torch

from workers.encoders.device import Device
from workers.encoders.protocol import OutOfMemory, Vectors, unit_padded

# CUDA has an error of its own; MPS and the CPU's allocator only have words.
FULL = ("out of memory", "can't allocate memory", "not enough memory")


def run(forward: Callable[[], torch.Tensor], device: Device) -> Vectors:
    """(n, 768) float32, unit length, of what `forward` gives. Raises `OutOfMemory` when the device is full."""
    # The handler only notes it: an exception in scope would keep the tensors alive (pytorch#18853).
    full = False
    try:
        with torch.inference_mode():
            return unit_padded(forward().float().cpu().numpy())
    except RuntimeError as error:
        full = isinstance(error, torch.OutOfMemoryError) or any(word in str(error).lower() for word in FULL)
        if not full:
            raise
    if full:
        free_memory(device)
    raise OutOfMemory


def free_memory(device: Device | None = None) -> None:
    """Give back what torch keeps for later."""
    name = device.name if device else ""
    if torch.cuda.is_available() and not name.startswith(("cpu", "mps")):
        torch.cuda.empty_cache()
    elif torch.backends.mps.is_available() and not name.startswith("cpu"):
        torch.mps.empty_cache()

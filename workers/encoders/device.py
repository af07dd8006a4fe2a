"""Which device multiplies, and in which numbers."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass

import torch
from billiard.process import current_process
from django.conf import settings

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of malloc.h
MIB = 1 << 20


@dataclass(frozen=True)
class Device:
    """`precision` is open_clip's word for the type that the weights are held in."""

    name: str
    dtype: torch.dtype
    precision: str


def choose_device() -> Device:
    """CUDA, Apple's MPS or the CPU, unless SIGHTLINE_DEVICE names one; `cuda` is a GPU for each child of a worker.

    Weights in bf16 make a CPU with bf16 instructions 3 times faster at a cosine of 0.9999;
    autocast does not (it casts at every layer), and a CPU without them is slower in bf16.
    """
    name = settings.SIGHTLINE_DEVICE or _best()
    if name == "cuda":
        name = _own_gpu()
    if name.startswith("cuda"):
        if torch.cuda.is_bf16_supported():
            return Device(name, torch.bfloat16, "pure_bf16")
        return Device(name, torch.float16, "pure_fp16")
    if name == "cpu" and _cpu_multiplies_bf16():
        return Device(name, torch.bfloat16, "pure_bf16")
    return Device(name, torch.float32, "fp32")


def exact(device: Device) -> Device:
    """The same device in fp32, for towers that lose by bf16 and, in channels-last order, gain no speed by it."""
    return Device(device.name, torch.float32, "fp32")


def use_one_thread() -> None:
    """One torch thread a process: parallel encoding comes from processes.

    Two OpenMP threads that share a core with anything else spin at every barrier.
    """
    torch.set_num_threads(1)


def keep_freed_memory() -> None:
    """What a batch freed stays, for the next one: mallopt(3) of glibc.

    Given back and asked for anew, a batch of 32 pictures costs thousands of page faults: on a CPU a twentieth of the
    time of ViT-B-32.
    """
    if libc := _glibc():
        libc.mallopt(M_MMAP_THRESHOLD, 32 * MIB)  # the most that it takes
        libc.mallopt(M_TRIM_THRESHOLD, 256 * MIB)


def give_back_freed_memory() -> None:
    """All of it, a model that was let go of included: malloc_trim(3)."""
    if libc := _glibc():
        libc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    return libc if hasattr(libc, "malloc_trim") else None  # musl has none


def _best() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _own_gpu() -> str:
    """Of several GPUs, one for each child of a worker, in turn: plain `cuda` would be the first one for all."""
    count, child = torch.cuda.device_count(), getattr(current_process(), "index", None)
    return "cuda" if count < 2 or child is None else f"cuda:{child % count}"


def _cpu_multiplies_bf16() -> bool:
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, check, bool)() for check in checks)

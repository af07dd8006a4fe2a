"""How many GPUs encode, told without torch, which the launcher never loads."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

DEVICES = Path("/dev")


def count_gpus(environment: Mapping[str, str] = os.environ) -> int:
    """NVIDIA's, as far as the driver shows them (nvidia0, nvidia1, ...) and CUDA_VISIBLE_DEVICES leaves them.

    0 where torch was built without CUDA, or SIGHTLINE_DEVICE names something else; 1 where it names one GPU.
    """
    device = environment.get("SIGHTLINE_DEVICE", "")
    if (device and not device.startswith("cuda")) or _without_cuda():
        return 0
    here = sum(bool(re.fullmatch(r"nvidia\d+", entry.name)) for entry in DEVICES.glob("nvidia*"))
    shown = environment.get("CUDA_VISIBLE_DEVICES")
    if shown is not None:
        here = min(here, _count_shown(shown))
    return min(here, 1) if ":" in device else here


def _count_shown(said: str) -> int:
    """CUDA reads numbers and names up to the first that is none; `-1` hides all behind it."""
    names = [name.strip() for name in said.split(",")]
    return next((at for at, name in enumerate(names) if not name or name.startswith("-")), len(names))


def _without_cuda() -> bool:
    try:
        return version("torch").endswith("+cpu")
    except PackageNotFoundError:
        return True

"""Single numbers of a weights file as they were trained, before a device rounds them to its own type."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import safe_open


def trained_number(weights: Path | None, name: str, held: torch.Tensor) -> float:
    """The number called `name` in the file; what the model holds of it where the file cannot be looked into.

    A model in bf16 holds a scale of 100 as 98.9: machines would not agree on what the space is.
    """
    found = None if weights is None else _look_up(weights, name)
    return float((held if found is None else found).detach().float().reshape(-1)[0])


def _look_up(weights: Path, name: str) -> torch.Tensor | None:
    names = (name, f"module.{name}")
    if weights.suffix == ".safetensors":
        with safe_open(weights, framework="pt") as file:
            keys = set(file.keys())
            return next((file.get_tensor(key) for key in names if key in keys), None)
    try:
        tensors = torch.load(weights, map_location="cpu", weights_only=True, mmap=True)
    except (RuntimeError, ValueError):  # an old file that cannot be mapped; it has been loaded once already
        tensors = torch.load(weights, map_location="cpu", weights_only=True)
    tensors = tensors.get("state_dict", tensors)
    return next((tensors[key] for key in names if key in tensors), None)

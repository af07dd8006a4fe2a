"""Devices: chosen by themselves, in numbers that they multiply, and a full one halves the batch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
import torch
from billiard.pool import Pool
from billiard.process import current_process

from archive.models import Space
from tests import pictures
from workers.claims import Claim
from workers.encode import Item, Pipeline
from workers.encoders.device import Device, choose_device
from workers.encoders.fake import FakeEncoder
from workers.encoders.protocol import EncoderRefused, OutOfMemory, Vectors
from workers.encoders.running import run

CPU = Device("cpu", torch.float32, "fp32")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A machine as torch sees it, made of answers: GPUs are not at hand where this is tested."""

    def has(
        *, cuda: bool = False, cuda_bf16: bool = False, mps: bool = False, cpu_bf16: bool = False, gpus: int = 1
    ) -> None:
        monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: cuda_bf16)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: cpu_bf16)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)

    return has


@pytest.mark.parametrize(
    ("has", "named", "device"),
    [
        ({"cuda": True, "cuda_bf16": True, "cpu_bf16": True}, "", Device("cuda", torch.bfloat16, "pure_bf16")),
        ({"cuda": True}, "", Device("cuda", torch.float16, "pure_fp16")),
        ({"cuda": True, "cuda_bf16": True}, "cuda:1", Device("cuda:1", torch.bfloat16, "pure_bf16")),
        ({"mps": True}, "", Device("mps", torch.float32, "fp32")),
        ({"cpu_bf16": True}, "", Device("cpu", torch.bfloat16, "pure_bf16")),
        ({}, "", CPU),
        ({"cuda": True, "cuda_bf16": True}, "cpu", CPU),
    ],
)
def test_the_best_device_is_taken_in_numbers_that_it_multiplies(
    has: dict[str, bool], named: str, device: Device, machine: Any, settings: Any
) -> None:
    machine(**has)
    settings.SIGHTLINE_DEVICE = named
    assert choose_device() == device


@pytest.mark.parametrize("named", ["", "cuda"])
@pytest.mark.parametrize(
    ("child", "gpus", "name"),
    [(0, 2, "cuda:0"), (1, 2, "cuda:1"), (2, 2, "cuda:0"), (3, 4, "cuda:3"), (1, 1, "cuda"), (None, 2, "cuda")],
)
def test_each_child_of_a_worker_has_a_gpu_of_its_own(
    child: int | None, gpus: int, name: str, named: str, machine: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that is no child of a pool has no number, and takes the first."""
    machine(cuda=True, cuda_bf16=True, gpus=gpus)
    settings.SIGHTLINE_DEVICE = named
    if child is not None:
        monkeypatch.setattr(current_process(), "index", child, raising=False)
    assert choose_device() == Device(name, torch.bfloat16, "pure_bf16")


def test_a_gpu_that_is_named_is_taken_by_all(machine: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(cuda=True, cuda_bf16=True, gpus=4)
    settings.SIGHTLINE_DEVICE = "cuda:2"
    monkeypatch.setattr(current_process(), "index", 1, raising=False)
    assert choose_device().name == "cuda:2"


def test_the_children_of_a_worker_are_numbered() -> None:
    """By the pool that Celery makes them with: 0, 1, ..., and who comes for a dead one has its number."""
    with Pool(3) as pool:
        children: Any = pool
        assert sorted(child.index for child in children._pool) == [0, 1, 2]
        assert pool.apply(number) in {0, 1, 2}


def number() -> int:
    child: Any = current_process()
    found: int = child.index
    return found


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("MPS backend out of memory (MPS allocated: 18.00 GB)"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
    ],
)
def test_a_full_device_is_told_apart_from_a_failure(error: Exception) -> None:
    def forward() -> torch.Tensor:
        raise error

    with pytest.raises(OutOfMemory):
        run(forward, CPU)


def test_what_is_no_lack_of_memory_is_not_taken_for_it() -> None:
    with pytest.raises(RuntimeError, match="shapes"):
        run(lambda: torch.zeros(2, 3) @ torch.zeros(2, 3), CPU)
    with pytest.raises(EncoderRefused, match="not finite"):
        run(lambda: torch.full((1, 4), torch.nan), CPU)


@pytest.mark.django_db
def test_a_batch_that_does_not_fit_is_halved_until_it_does_and_nothing_is_lost(fake_space: Space) -> None:
    """Through `run`, as every real encoder does: this device holds three pictures."""
    sizes: list[int] = []

    class Crowded(FakeEncoder):
        def encode_pictures(self, prepared: Sequence[Any]) -> Vectors:
            def forward() -> torch.Tensor:
                sizes.append(len(prepared))
                if len(prepared) > 3:
                    raise torch.OutOfMemoryError("CUDA out of memory.")
                return torch.from_numpy(np.stack(prepared)) + 1e-6

            return run(forward, CPU)

    encoder = Crowded()
    items = [Item(Claim(n, n, uuid4()), n, encoder.prepare(pictures.distinct(n))) for n in range(10)]
    pipeline = Pipeline(fake_space, encoder)
    pipeline.batch = 16
    found = pipeline.encode(items)
    assert np.allclose(found, FakeEncoder().encode_pictures([item.pixels for item in items]), atol=1e-5)
    assert sizes == [10, 8, 4, 2, 2, 2, 2, 2]


KEPT = """
import pathlib
import torch
from workers.encoders import device

def resident() -> int:
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4096 >> 20

device.keep_freed_memory()
before = resident()
held = [torch.ones(200_000) for _ in range(250)]  # 200 MB in parts that stay in the heap
more = torch.ones(1)
del held
kept = resident() - before
device.give_back_freed_memory()
print(kept, resident() - before)
"""


def test_what_a_batch_freed_is_kept_until_the_model_is_let_go_of() -> None:
    said = subprocess.run([sys.executable, "-c", KEPT], capture_output=True, text=True, check=True).stdout
    kept, left = map(int, said.split())
    assert kept > 150
    assert left < 50

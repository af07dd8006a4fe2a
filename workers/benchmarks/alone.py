"""One step of a film's way in a fresh process: how much memory it takes at most, and the decoder that it starts."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import django

LOOK_EVERY = 0.05  # seconds
MB = 1024  # kB


class WorkerFailed(Exception):
    def __init__(self, step: str, status: int | None) -> None:
        super().__init__(f"The process that was to {step} ended with {status}; the lines above say why.")


def peaks_of(step: str) -> tuple[float, float]:
    """MB of resident memory at most while everything waiting for `step` is worked off: of the process itself, and of
    its decoder, 0 where it has none. Linux keeps count of both. Raises `WorkerFailed`."""
    worker = multiprocessing.get_context("spawn").Process(target=_work, args=(step,), daemon=True)
    worker.start()
    assert worker.pid is not None
    seen: dict[int, int] = {}
    try:
        while worker.is_alive():
            for pid in (worker.pid, *_children(worker.pid)):
                # The latest count, not the greatest: until it runs its own program, a child has its parent's.
                seen[pid] = _highest(pid) or seen.get(pid, 0)
            worker.join(LOOK_EVERY)
    finally:
        worker.terminate()
        worker.join()
    if worker.exitcode:
        raise WorkerFailed(step, worker.exitcode)
    own = seen.pop(worker.pid, 0)
    return own / MB, max(seen.values(), default=0) / MB


def _work(step: str) -> None:
    django.setup()
    from workers.encode import drain_encode  # noqa: PLC0415  (models load only after setup)
    from workers.play import drain_play  # noqa: PLC0415
    from workers.prepare import drain_prepare  # noqa: PLC0415

    drain = {"prepare": drain_prepare, "encode": drain_encode, "play": drain_play}[step]
    while drain(float("inf")):
        pass


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in _of_task(task)]
    except OSError:
        return []


def _of_task(task: Path) -> list[str]:
    try:
        return (task / "children").read_text().split()
    except OSError:  # the thread has ended
        return []


def _highest(pid: int) -> int:
    """The most that has been resident, in kB; 0 for a process that is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)

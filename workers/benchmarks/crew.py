"""Processes that encode at the same time: by turns the bare model, and the whole pipeline."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

import django

Rate = float  # pictures a second


class Crew:
    def __init__(self, pipes: list[Connection]) -> None:
        self.pipes = pipes

    def bare(self, seconds: float) -> Rate:
        """All run the model on prepared pictures; the sum of what each does."""
        return self._all("bare", seconds)

    def pipeline(self, seconds: float) -> Rate:
        """All drain one backlog: claims, files, decoding, the model, rows."""
        return self._all("pipeline", seconds)

    def drain(self) -> float:
        """Seconds until nothing waits in any live space, as workers go about it."""
        start = time.perf_counter()
        self._all("drain", 0)
        return time.perf_counter() - start

    def _all(self, what: str, seconds: float) -> Rate:
        for pipe in self.pipes:
            pipe.send((what, seconds))
        return sum(float(pipe.recv()) for pipe in self.pipes)


@contextmanager
def crew(space_id: int, processes: int) -> Iterator[Crew]:
    """Spawned, not forked: torch does not survive a fork. All have loaded and warmed the model up."""
    spawn = multiprocessing.get_context("spawn")
    pairs = [spawn.Pipe() for _ in range(processes)]
    members = [spawn.Process(target=_serve, args=(theirs, space_id), daemon=True) for _, theirs in pairs]
    for member in members:
        member.start()
    try:
        for ours, _ in pairs:
            ours.recv()
        yield Crew([ours for ours, _ in pairs])
    finally:
        for member in members:
            member.terminate()
            member.join()


def _serve(pipe: Connection, space_id: int) -> None:
    django.setup()
    from workers.benchmarks.member import Member  # noqa: PLC0415  (models load only after setup)

    member = Member(space_id)
    member.bare(0)
    pipe.send("ready")
    while True:
        what, seconds = pipe.recv()
        start = time.perf_counter()
        done = {"bare": member.bare, "pipeline": member.pipeline, "drain": member.drain}[what](seconds)
        pipe.send(done / (time.perf_counter() - start))

"""ENCODE for a video: its frames in order, a batch at a time, each committed with the position behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction

from archive.models import Space, Work, WorkState
from archive.noticing import notice
from archive.readiness import settle
from archive.vectors import Rows
from archive.video.frames import first_bare, frames_after, is_prepared
from archive.video.packs import read_frames
from archive.video.vectors import close, keep_vectors
from workers.claims import Claim, advance, finish


@dataclass(frozen=True)
class Loaded:
    """One frame of a video: its second, and its JPEG."""

    frame_id: int
    at: float
    data: bytes


@dataclass
class Run:
    """A video in the encoder's hands. The loader is some batches ahead of what is stored."""

    claim: Claim
    position: int | None = field(init=False)  # milliseconds that are loaded
    stopped: bool = False  # nothing more is to be loaded
    fenced: bool = False  # somebody else took over

    def __post_init__(self) -> None:
        self.position = self.claim.position

    def next(self, count: int) -> tuple[list[Loaded], bool]:
        """Up to `count` frames behind the last, and whether there are no more so far. Raises `PackMissing`."""
        rows = list(frames_after(self.claim.asset_id, self.position).values_list("pk", "at")[: count + 1])
        taken = rows[:count]
        data = read_frames(self.claim.asset_id, [_ms(at) for _, at in taken])
        if taken:
            self.position = _ms(taken[-1][1])
        return [Loaded(pk, at, data[_ms(at)]) for pk, at in taken], len(rows) <= count


def keep_batch(space: Space, run: Run, rows: Rows, times: Sequence[float], *, last: bool) -> bool:
    """Vectors, what they begin, and the position in one transaction; with the `last` ones the end of the work.

    False where somebody else took over; then nothing is stored.
    """
    asset = run.claim.asset_id
    position = _ms(times[-1]) if times else run.claim.position or 0
    if run.fenced:
        return False
    with transaction.atomic():
        if not advance(run.claim, max(position, 1)):
            run.fenced = True
            return False
        keep_vectors(space, asset, rows.frames, times, rows.vectors)
        notice(space, rows)
        if last:
            end_run(space, run.claim, position)
    return True


def end_run(space: Space, claim: Claim, position: int) -> None:
    """It has caught up. Where a frame came meanwhile, or a vector was lost, it goes on from there; with the last one of
    the film it is complete."""
    finish([claim])
    lost = first_bare(space, claim.asset_id)
    if lost is not None:
        Work.objects.filter(pk=claim.work_id).update(
            state=WorkState.READY, done_at=None, position=min(position, _ms(lost) - 1)
        )
    elif is_prepared(claim.asset_id):
        close(space, claim.asset_id)
    settle([claim.asset_id])


def _ms(at: float) -> int:
    return round(at * 1000)

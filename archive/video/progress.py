"""How far a video is: for its page, the upload list and the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q
from django.utils.timezone import now

from archive.models import Asset, Frame, Kind, Space, SpaceState, Status, Step, Work, WorkState


@dataclass(frozen=True)
class Progress:
    """`done_seconds` of `duration` are found by a search now; `frames` have been read of about `expected`."""

    done_seconds: float
    duration: float
    frames: int
    expected: int
    moments: int
    eta_seconds: float | None  # None: nobody knows yet

    @property
    def share(self) -> float:
        return min(1.0, self.done_seconds / self.duration) if self.duration else 0.0

    @property
    def in_words(self) -> str:
        said = f"{_clock(self.done_seconds)} of {_clock(self.duration)} can be searched, {self.frames} frames read"
        if not self.eta_seconds:
            return f"{said}."
        minutes = round(self.eta_seconds / 60)
        return f"{said}; about {minutes} minutes left." if minutes > 1 else f"{said}; about a minute left."

    def as_dict(self) -> dict[str, float | int | str | None]:
        return {
            "done_seconds": round(self.done_seconds, 1),
            "duration": self.duration,
            "frames": self.frames,
            "expected": self.expected,
            "moments": self.moments,
            "said": self.in_words,
            "share": round(self.share, 4),
            "eta_seconds": None if self.eta_seconds is None else round(self.eta_seconds, 1),
        }


def progress_of(asset: Asset) -> Progress | None:
    """None for a photo, and for a video of which nothing is known yet."""
    if asset.kind != Kind.VIDEO or not asset.duration or not asset.step_ms:
        return None
    counted = Frame.objects.filter(asset=asset).aggregate(
        frames=Count("pk"), moments=Count("pk", filter=Q(representative=True))
    )
    duration: float = asset.duration
    done, begun = _done(asset, duration)
    return Progress(
        done_seconds=done,
        duration=duration,
        frames=counted["frames"],
        expected=max(counted["frames"], round(duration * 1000 / asset.step_ms)),
        moments=counted["moments"],
        eta_seconds=_left(done, duration, begun),
    )


def _done(asset: Asset, duration: float) -> tuple[float, datetime | None]:
    """Up to where it is encoded in the searched space, and since when its first chunk is done."""
    if asset.status == Status.READY:
        return duration, None
    active = Space.objects.filter(state=SpaceState.ACTIVE).values("slug")
    rows = Work.objects.filter(asset=asset).filter(Q(step=Step.PREPARE) | Q(step=Step.ENCODE, target__in=active))
    states = {work.step: work for work in rows}
    encoding = states.get(Step.ENCODE) or states.get(Step.PREPARE)
    if encoding is None or encoding.position is None:
        return 0.0, None
    preparing = states.get(Step.PREPARE)
    complete = preparing is None or preparing.state == WorkState.DONE
    if complete and encoding.step == Step.ENCODE and encoding.state == WorkState.DONE:
        return duration, encoding.begun_at
    step = (asset.step_ms or 0) / 1000  # a frame stands for the time up to the next
    return min(duration, encoding.position / 1000 + step), encoding.begun_at


def _clock(seconds: float) -> str:
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def _left(done: float, duration: float, begun: datetime | None) -> float | None:
    if done >= duration:
        return 0.0
    if begun is None or not done:
        return None
    passed = (now() - begun).total_seconds()
    return passed * (duration - done) / done if passed > 1 else None

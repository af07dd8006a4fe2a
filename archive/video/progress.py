"""How far a video is: for its page, the upload list and the API."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
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
    return progress_of_each([asset]).get(asset.pk)


def progress_of_each(assets: Iterable[Asset]) -> dict[int, Progress]:
    """By asset, with as many statements for a page of them as for one; without those of which nothing is known."""
    videos = [asset for asset in assets if asset.kind == Kind.VIDEO and asset.duration and asset.step_ms]
    if not videos:
        return {}
    counted = _counted(videos)
    works = _works([asset for asset in videos if asset.status != Status.READY])
    return {asset.pk: _progress(asset, *counted.get(asset.pk, (0, 0)), works.get(asset.pk, {})) for asset in videos}


def _counted(videos: Sequence[Asset]) -> dict[int, tuple[int, int]]:
    """Frames, and those that stand for a shot."""
    rows = Frame.objects.filter(asset__in=videos).order_by().values("asset")
    rows = rows.annotate(frames=Count("pk"), moments=Count("pk", filter=Q(representative=True)))
    return {row["asset"]: (row["frames"], row["moments"]) for row in rows}


def _works(videos: Sequence[Asset]) -> dict[int, dict[str, Work]]:
    """Of each, what is or was to be done before a search finds it."""
    if not videos:
        return {}
    active = Space.objects.filter(state=SpaceState.ACTIVE).values("slug")
    found: dict[int, dict[str, Work]] = defaultdict(dict)
    for work in Work.objects.filter(Q(step=Step.PREPARE) | Q(step=Step.ENCODE, target__in=active), asset__in=videos):
        found[work.asset_id][work.step] = work
    return found


def _progress(asset: Asset, frames: int, moments: int, works: dict[str, Work]) -> Progress:
    duration, step_ms = asset.duration or 0.0, asset.step_ms or 1
    done, begun = _done(asset, duration, works)
    return Progress(
        done_seconds=done,
        duration=duration,
        frames=frames,
        expected=max(frames, round(duration * 1000 / step_ms)),
        moments=moments,
        eta_seconds=_left(done, duration, begun),
    )


def _done(asset: Asset, duration: float, works: dict[str, Work]) -> tuple[float, datetime | None]:
    """Up to where it is encoded in the searched space, and since when its first chunk is done."""
    if asset.status == Status.READY:
        return duration, None
    encoding = works.get(Step.ENCODE) or works.get(Step.PREPARE)
    if encoding is None or encoding.position is None:
        return 0.0, None
    preparing = works.get(Step.PREPARE)
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

"""How far the videos are that somebody waits for: one bar in frames, beside the one in files."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import islice

from rich.progress import Progress, TaskID

from archive.models import Asset, Kind, Status
from archive.video.progress import progress_of_each

EVERY = 2.0  # seconds
MOST = 200  # videos that are counted at once; others wait behind them


class FilmsBar:
    """There from the first frame on. With a bar that nobody sees nothing is asked."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.bar: TaskID | None = None
        self.asked = float("-inf")

    def look(self, left: Iterable[int]) -> None:
        """`left`: the ids of those assets that are not ready yet."""
        if self.progress.disable or time.monotonic() < self.asked + EVERY:
            return
        self.asked = time.monotonic()
        # Of a million that are waited for few are videos: those are looked up, and not the million.
        wanted = set(left)
        pending = Asset.objects.filter(kind=Kind.VIDEO, status=Status.PENDING).order_by("pk")
        films = (film for film in pending.defer("exif", "notes").iterator() if film.pk in wanted)
        told = progress_of_each(islice(films, MOST)).values()
        if not told:
            self._hide()
            return
        if self.bar is None:
            self.bar = self.progress.add_task("", rate="")
        remaining = max((one.eta_seconds or 0.0 for one in told), default=0.0)
        self.progress.update(
            self.bar,
            description="frames of a video" if len(told) == 1 else f"frames of {len(told)} videos",
            completed=sum(one.frames for one in told),
            total=sum(one.expected for one in told),
            rate=f"about {max(1, round(remaining / 60))} min left" if remaining else "",
            visible=True,
        )

    def _hide(self) -> None:
        if self.bar is not None:
            self.progress.update(self.bar, visible=False)

"""How far a space is, how fast, and what it takes: for the list and the admin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from archive.models import Space, SpaceState
from archive.spaces.coverage import Coverage, coverage
from archive.spaces.index import IndexState, count_rows, index_state
from archive.spaces.partitions import bytes_of

LATELY = timedelta(minutes=5)
COUNT_UP_TO = 100_000
RATE = """
SELECT count(*), extract(epoch FROM now() - min(done_at))::float8 FROM archive_work
WHERE step = 'encode' AND target = %(slug)s AND state = 'done' AND done_at > now() - %(lately)s * interval '1 second'
"""


@dataclass(frozen=True)
class Progress:
    space: Space
    covered: Coverage
    rate: float  # assets a second, over the last minutes
    index: IndexState
    bytes: int

    @property
    def seconds_left(self) -> float | None:
        """None: nobody knows, for nothing moves."""
        if self.space.state == SpaceState.RETIRED:
            return None
        left = self.covered.total - self.covered.done
        if left <= 0:
            return 0.0
        return round(left / self.rate, 1) if self.rate else None

    def as_dict(self) -> dict[str, Any]:
        space, covered = self.space, self.covered
        return {
            "slug": space.slug,
            "model": space.model,
            "state": str(space.state),
            "parent": space.parent.slug if space.parent else None,
            "takes_over": space.takes_over,
            "dimensions": space.dimensions,
            "done": covered.done,
            "total": covered.total,
            "share": round(covered.share, 4),
            "waiting": covered.waiting,
            "set_aside": covered.set_aside,
            "rate": round(self.rate, 2),
            "seconds_left": self.seconds_left,
            "index": {"valid": self.index.valid, "rows": self.index.rows, "built": self.index.built},
            "bytes": self.bytes,
            "activated_at": _iso(space.activated_at),
        }


def progress(space: Space) -> Progress:
    if space.state == SpaceState.RETIRED:
        return Progress(space, Coverage(0, 0), 0.0, IndexState(0, False), 0)
    return Progress(space, coverage(space), rate_of(space), counted(space), bytes_of(space))


def rate_of(space: Space) -> float:
    """Assets a second, since the first of those that were done in the last minutes."""
    with connection.cursor() as cursor:
        cursor.execute(RATE, {"slug": space.slug, "lately": LATELY.total_seconds()})
        count, seconds = cursor.fetchone() or (0, 0.0)
    return float(count) / max(1.0, float(seconds or 0.0)) if count > 1 else 0.0


def counted(space: Space) -> IndexState:
    """Postgres' own estimate is good for large tables; a small one it may not have looked at yet."""
    state = index_state(space)
    if state.rows >= COUNT_UP_TO:
        return state
    return IndexState(count_rows(space), state.valid, state.built)


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None

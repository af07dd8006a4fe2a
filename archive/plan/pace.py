"""How fast pictures become vectors here: by the work that the workers did, else by the last evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils.dateparse import parse_datetime

from archive.models import Space

LAST = 5000
# Fewer say more about when somebody uploaded than about what the encoder can do.
ENOUGH = 64
# Whoever waits longer for the next batch has nothing to do, rather than much.
IDLE = 10.0
# Batches end together. The first one began before anybody looked, and so did each after a pause.
BUSY = """
WITH done AS (
    SELECT done_at, count(*) AS photos FROM (
        SELECT w.done_at FROM archive_work w JOIN archive_asset a ON a.id = w.asset_id
        WHERE w.step = 'encode' AND w.target = %(slug)s AND w.state = 'done' AND a.kind = 'photo'
        ORDER BY w.done_at DESC LIMIT %(last)s
    ) AS lately GROUP BY done_at
), paused AS (
    SELECT done_at, photos, extract(epoch FROM done_at - lag(done_at) OVER (ORDER BY done_at))::float8 AS after
    FROM done
)
SELECT coalesce(sum(photos), 0)::bigint, coalesce(sum(after), 0)::float8, max(done_at)
FROM paused WHERE after <= %(idle)s
"""


@dataclass(frozen=True)
class Pace:
    """Frames a second, `source` in words for people; `at`: when that was."""

    rate: float
    source: str
    at: datetime | None


def pace_here(space: Space) -> Pace | None:
    """None: nothing was measured yet, so nobody knows."""
    return _of_the_workers(space) or _of_the_evaluation(space)


def _of_the_workers(space: Space) -> Pace | None:
    """All of them together, whatever they had to read and to write beside the model."""
    with connection.cursor() as cursor:
        cursor.execute(BUSY, {"slug": space.slug, "last": LAST, "idle": IDLE})
        photos, seconds, at = cursor.fetchone() or (0, 0.0, None)
    if photos < ENOUGH or not seconds:
        return None
    return Pace(photos / seconds, f"as the workers did the last {photos:,} photos", at)


def _of_the_evaluation(space: Space) -> Pace | None:
    rate = space.evaluation.get("pictures_a_second")
    if not rate:
        return None
    return Pace(float(rate), "by the last evaluation, in one process", parse_datetime(str(space.evaluation.get("at"))))

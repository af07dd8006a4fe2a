"""Filling a space: what is missing is computed each time and never remembered, so it starts and stops at will."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import QuerySet

from archive import dispatch
from archive.models import Space, Step, Work, WorkState
from archive.models.work import Priority
from archive.spaces.partitions import partition

# Assets a statement. Each statement is a transaction of its own: a million assets are hundreds of short ones,
# and the workers begin with the first.
CHUNK = 5000

# Work where there is none; work that is done but whose vector is gone is free again. Where all vectors are there
# already (a space derived from another) the work is written down as done. What was set aside or skipped stays so.
FILL = """
WITH span AS (
    SELECT asset_id FROM archive_work
    WHERE step = 'prepare' AND target = '' AND state = 'done' AND asset_id > %(after)s
    ORDER BY asset_id LIMIT %(chunk)s
),
seen AS (
    SELECT span.asset_id, count(f.id) AS frames, count(f.id) FILTER (WHERE e.frame_id IS NULL) AS bare
    FROM span
    LEFT JOIN archive_frame f ON f.asset_id = span.asset_id
    LEFT JOIN {partition} e ON e.space_id = %(space)s AND e.frame_id = f.id
    GROUP BY span.asset_id
),
written AS (
    INSERT INTO archive_work AS w (asset_id, step, target, state, priority, done_at)
    SELECT seen.asset_id, 'encode', %(slug)s,
           CASE WHEN frames > 0 AND bare = 0 THEN 'done' ELSE 'ready' END, %(priority)s,
           CASE WHEN frames > 0 AND bare = 0 THEN now() END
    FROM seen
    LEFT JOIN archive_work mine
      ON mine.asset_id = seen.asset_id AND mine.step = 'encode' AND mine.target = %(slug)s
    WHERE mine.id IS NULL OR (mine.state = 'done' AND bare > 0)
    ON CONFLICT (asset_id, step, target) DO UPDATE
    SET state = 'ready', priority = EXCLUDED.priority, done_at = NULL, token = NULL, lease_until = NULL,
        position = NULL, begun_at = NULL, not_before = now(), crashes = 0, errors = 0, last_error = ''
    WHERE w.state = 'done' AND EXCLUDED.state = 'ready'
    RETURNING state
)
SELECT (SELECT max(asset_id) FROM span), (SELECT count(*) FROM written WHERE state = 'ready')
"""


def backfill(space: Space) -> int:
    """Work for every prepared asset that lacks a vector in `space`, behind all uploads; returns how many were added.

    Not inside a transaction, where a large archive would become one huge transaction.
    """
    added, after = 0, 0
    while True:
        found, new = _fill(space, after)
        if new:
            dispatch.ring_on_commit(Step.ENCODE)
        added += new
        if found is None:
            return added
        after = found


def _fill(space: Space, after: int) -> tuple[int | None, int]:
    """One chunk behind asset `after`; its last asset (None: there was none) and how many have to be encoded."""
    terms: dict[str, Any] = {
        "after": after,
        "chunk": CHUNK,
        "space": space.pk,
        "slug": space.slug,
        "priority": Priority.BACKFILL,
    }
    with connection.cursor() as cursor:
        cursor.execute(FILL.format(partition=partition(space)), terms)
        last, new = cursor.fetchone() or (None, 0)
    return last, new


def stop_backfill(space: Space) -> int:
    """Forget what waits to be filled; returns how many. What is running ends; uploads go on being written here."""
    waiting = Work.objects.filter(
        step=Step.ENCODE, target=space.slug, state=WorkState.READY, priority=Priority.BACKFILL
    )
    return forget_work(waiting)


def forget_work(chosen: QuerySet[Work]) -> int:
    """Delete work a chunk at a time, leaving alone what a worker takes in the same moment; returns how many."""
    forgotten = 0
    while ids := list(chosen.values_list("pk", flat=True)[:CHUNK]):
        gone, _ = chosen.filter(pk__in=ids).delete()
        forgotten += gone
    return forgotten

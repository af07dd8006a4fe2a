"""How much of the archive a space holds: counted for people, and looked up vector by vector before it is searched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Count, Q

from archive.models import Space, SpaceState, Step, Work, WorkState
from archive.models.work import Priority
from archive.spaces.partitions import partition

# An asset is a gap when it was prepared, and this space has not a vector for each of its frames. No gap:
# what a curator skipped here, and an upload that is still on its way both here and where people search now.
GAPS = """
SELECT count(*),
       count(*) FILTER (WHERE mine.state IN ('ready', 'running') AND mine.priority < %(backfill)s)
FROM archive_work prepared
LEFT JOIN archive_work mine
  ON mine.asset_id = prepared.asset_id AND mine.step = 'encode' AND mine.target = %(slug)s
LEFT JOIN archive_work searched
  ON searched.asset_id = prepared.asset_id AND searched.step = 'encode' AND searched.target = %(active)s
WHERE prepared.step = 'prepare' AND prepared.state = 'done'
  AND mine.state IS DISTINCT FROM 'cancelled'
  AND (mine.state IS DISTINCT FROM 'done' OR EXISTS (
        SELECT 1 FROM archive_frame f
        WHERE f.asset_id = prepared.asset_id AND NOT EXISTS (
            SELECT 1 FROM {partition} e WHERE e.space_id = %(space)s AND e.frame_id = f.id)))
  AND NOT coalesce(mine.state IN ('ready', 'running') AND searched.state IN ('ready', 'running'), false)
"""


@dataclass(frozen=True)
class Coverage:
    """Of assets. `set_aside`: given up after errors, each a gap until somebody tries again or skips it."""

    done: int
    total: int
    waiting: int = 0
    set_aside: int = 0

    @property
    def share(self) -> float:
        return self.done / self.total if self.total else 1.0


@dataclass(frozen=True)
class Gaps:
    """Assets that would not be found in a space; `arriving` of them are uploads of the last moments."""

    count: int
    arriving: int


def coverage(space: Space) -> Coverage:
    """How many of the readable assets have their vector in `space`, as their work says: cheap enough to show."""
    total = Work.objects.filter(step=Step.PREPARE, state=WorkState.DONE).count()
    mine = Work.objects.filter(step=Step.ENCODE, target=space.slug).aggregate(
        done=Count("pk", filter=Q(state=WorkState.DONE)),
        waiting=Count("pk", filter=Q(state__in=(WorkState.READY, WorkState.RUNNING))),
        set_aside=Count("pk", filter=Q(state=WorkState.QUARANTINED)),
        skipped=Count("pk", filter=Q(state=WorkState.CANCELLED)),
    )
    wanted = max(0, total - mine["skipped"])
    return Coverage(min(mine["done"], wanted), wanted, mine["waiting"], mine["set_aside"])


def gaps(space: Space) -> Gaps:
    """What is missing, by the vectors themselves: dearer than counting work, so for what decides something."""
    active = Space.objects.filter(state=SpaceState.ACTIVE).exclude(pk=space.pk).values_list("slug", flat=True).first()
    params: dict[str, Any] = {
        "slug": space.slug,
        "space": space.pk,
        "active": active or "",
        "backfill": Priority.BACKFILL,
    }
    with connection.cursor() as cursor:
        cursor.execute(GAPS.format(partition=partition(space)), params)
        return Gaps(*(cursor.fetchone() or (0, 0)))

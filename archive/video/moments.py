"""Moments: the shots of the searched space, written onto the frames, with a still for each."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.db import connection, transaction
from django.db.models import QuerySet

from archive.models import Asset, Frame, Kind, Space, Step, Work
from archive.spaces.partitions import partition
from archive.video.packs import PackMissing, read_frames
from archive.video.stills import write_still
from archive.work import retry

log = logging.getLogger(__name__)

# A moment ends where the next begins; the last one, a step behind its last frame or where the film ends.
SPANS = """
WITH shot AS (
    SELECT f.id, f.at, lead(f.at) OVER (ORDER BY f.at) AS next FROM archive_frame f
    WHERE f.asset_id = %(asset)s AND f.representative AND f.at >= %(after)s
),
last AS (
    SELECT max(f.at) + coalesce(max(a.step_ms), 1000) / 1000.0 AS at, max(a.duration) AS duration
    FROM archive_frame f JOIN archive_asset a ON a.id = f.asset_id WHERE f.asset_id = %(asset)s
)
UPDATE archive_frame f
SET start = shot.at,
    "end" = coalesce(shot.next, greatest(shot.at, CASE WHEN %(whole)s THEN coalesce(last.duration, last.at)
                                                       ELSE least(last.at, coalesce(last.duration, last.at)) END))
FROM shot, last WHERE f.id = shot.id
"""
FOLLOW = """
UPDATE archive_frame f SET representative = e.representative,
    start = CASE WHEN e.representative THEN f.start END, "end" = CASE WHEN e.representative THEN f."end" END
FROM {partition} e WHERE e.asset_id = %(asset)s AND e.frame_id = f.id
"""
CHUNK = 100


def mark_moments(space: Space, asset: int, frames: Sequence[int], begins: Sequence[bool], after: float) -> None:
    """Write onto `frames` whether a moment `begins` with each. `after`: the second of the moment that ran before."""
    chosen = [frame for frame, new in zip(frames, begins, strict=True) if new]
    others = [frame for frame, new in zip(frames, begins, strict=True) if not new]
    Frame.objects.filter(pk__in=chosen).update(representative=True)
    Frame.objects.filter(pk__in=others).update(representative=False, start=None, end=None)
    _span(asset, after, whole=False)
    _stills_now_or_later(asset, chosen)
    Asset.objects.filter(pk=asset).exclude(moments_in=space).update(moments_in=space)


def end_moments(asset: int) -> None:
    _span(asset, 0.0, whole=True)


def add_stills(asset: int, frames: Sequence[int]) -> None:
    """A still for each of `frames` that has none. Raises `PackMissing`."""
    bare = dict(Frame.objects.filter(pk__in=frames, still="").values_list("pk", "at"))
    if not bare:
        return
    times = {pk: round(at * 1000) for pk, at in bare.items()}
    found = read_frames(asset, sorted(times.values()))
    sha256 = Asset.objects.values_list("sha256", flat=True).get(pk=asset)
    for pk, at_ms in times.items():
        Frame.objects.filter(pk=pk).update(still=write_still(sha256, at_ms, found[at_ms]))


def _stills_now_or_later(asset: int, frames: Sequence[int]) -> None:
    """Where the pack is gone it is read from the film again, and `archive.video.frames` adds the stills then."""
    try:
        add_stills(asset, frames)
    except PackMissing as problem:
        log.warning("asset %s: no stills yet (%s)", asset, problem)
        preparing = Work.objects.filter(asset=asset, step=Step.PREPARE)
        # Not in this transaction, which holds rows that whoever prepares locks in another order.
        transaction.on_commit(lambda: retry(preparing), robust=True)


def follow(space: Space) -> int:
    """After another space was activated: the moments of its shots, for every video that shows another's.

    Each video is a transaction of its own; what is interrupted goes on the next time. Returns how many.
    """
    followed = 0
    while others := list(_elsewhere(space)[:CHUNK]):
        for asset in others:
            _follow(space, asset)
        followed += len(others)
    return followed


@transaction.atomic
def _follow(space: Space, asset: int) -> None:
    # In the order of those who encode and prepare: else each would wait for the other.
    list(Work.objects.select_for_update().filter(asset=asset).order_by("pk").values_list("pk"))
    list(Asset.objects.select_for_update(no_key=True).filter(pk=asset))
    with connection.cursor() as cursor:
        cursor.execute(FOLLOW.format(partition=partition(space)), {"asset": asset})
    _span(asset, 0.0, whole=True)
    moments = Frame.objects.filter(asset=asset, representative=True)
    _stills_now_or_later(asset, list(moments.values_list("pk", flat=True)))
    Asset.objects.filter(pk=asset).update(moments_in=space)


def _elsewhere(space: Space) -> QuerySet[Asset, int]:
    shown = Asset.objects.filter(kind=Kind.VIDEO, moments_in__isnull=False).exclude(moments_in=space)
    return shown.order_by("pk").values_list("pk", flat=True)


def _span(asset: int, after: float, *, whole: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute(SPANS, {"asset": asset, "after": after, "whole": whole})

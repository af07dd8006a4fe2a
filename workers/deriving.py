"""Deriving: the vectors of an adapted space from the stored ones of its parent, without picture or model.

The work is the ENCODE work of the space. An encode worker looks here first; only what has no vector in
the parent goes through the model.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from django.db import connection, transaction

from archive.models import Kind, Space, Step, Work, WorkState
from archive.noticing import notice
from archive.readiness import settle
from archive.vectors import Rows, read_vectors, store_vectors
from archive.video.frames import is_prepared
from archive.video.vectors import close, keep_vectors, read_next
from workers.encoders.adapter import Adapter
from workers.encoders.adapter_files import find_adapter
from workers.encoders.protocol import EncoderRefused

log = logging.getLogger(__name__)
BATCH = 500  # photos, or frames of one video, in a transaction

# An asset's parent work must be done, and all its frames have a vector there: an old vector that is about to be
# made again is no source. Parent and child are worked on in the same order, so the first that wait tell.
TAKE = """
WITH waiting AS MATERIALIZED (
    SELECT id, asset_id FROM archive_work
    WHERE state = 'ready' AND step = 'encode' AND target = %(child)s
    ORDER BY priority, id LIMIT %(look)s
)
SELECT w.id, w.asset_id, w.position
FROM archive_work w
WHERE w.state = 'ready' AND w.id IN (
    SELECT q.id FROM waiting q
    JOIN archive_asset a ON a.id = q.asset_id AND a.kind = %(kind)s
    JOIN archive_work p ON p.asset_id = q.asset_id AND p.step = 'encode' AND p.target = %(parent)s AND p.state = 'done'
    JOIN LATERAL (
        SELECT bool_and(e.frame_id IS NOT NULL) AS whole FROM archive_frame f
        LEFT JOIN archive_embedding e ON e.space_id = %(parent_id)s AND e.frame_id = f.id
        WHERE f.asset_id = q.asset_id
    ) AS parts ON parts.whole
    LIMIT %(limit)s
)
FOR UPDATE SKIP LOCKED
"""
DONE = """
UPDATE archive_work SET state = 'done', attempts = attempts + 1, last_error = '', done_at = now()
WHERE id = ANY(%(ids)s)
"""


def derive_waiting(until: float = float("inf")) -> int:
    """In every adapted space that is filled or searched; returns how many assets got their vectors."""
    waiting = Work.objects.filter(step=Step.ENCODE, state=WorkState.READY).values("target")
    parents = Space.objects.live()
    derived = Space.objects.live().filter(parent__in=parents, slug__in=waiting).select_related("parent")
    return sum(derive_vectors(space, until) for space in derived)


def derive_vectors(space: Space, until: float = float("inf")) -> int:
    """Until the parent gives no more, or the clock says `until`."""
    try:
        adapter = find_adapter(space)
    except EncoderRefused as error:
        log.error("space %s: %s", space.slug, error)
        return 0
    derived = 0
    while time.monotonic() < until:
        photos = _derive_photos(space, adapter)
        films = None if photos else _derive_stretch(space, adapter)
        if not photos and films is None:
            break
        derived += photos + (films or 0)
    return derived


@transaction.atomic
def _derive_photos(space: Space, adapter: Adapter) -> int:
    """Vectors, the end of their work and the assets' status in one transaction, whose locks are the claim."""
    assert space.parent is not None
    taken = _take(space, Kind.PHOTO, BATCH)
    photos = [asset for _, asset, _ in taken]
    if not photos:
        return 0
    rows = read_vectors(space.parent, photos)
    vectors = adapter.pictures(rows.vectors)
    store_vectors(space, rows.frames, photos, vectors)
    notice(space, Rows(rows.frames, rows.assets, vectors))
    _finish([work for work, *_ in taken])
    settle(photos)
    return len(taken)


@transaction.atomic
def _derive_stretch(space: Space, adapter: Adapter) -> int | None:
    """The next frames of one video and the position behind them, so that a worker that is killed loses only these.

    1 where that was its end, as far as the parent has it; 0 where more is to come; None where no video waits.
    """
    assert space.parent is not None
    taken = _take(space, Kind.VIDEO, 1)
    if not taken:
        return None
    work, asset, position = taken[0]
    rows, times = read_next(space.parent, asset, position, BATCH)
    if times:
        vectors = adapter.pictures(rows.vectors)
        keep_vectors(space, asset, rows.frames, times, vectors)
        notice(space, Rows(rows.frames, rows.assets, vectors))
        Work.objects.filter(pk=work).update(position=round(times[-1] * 1000))
    if len(times) == BATCH:
        return 0
    _finish([work])
    if is_prepared(asset):
        close(space, asset)
    settle([asset])
    return 1


def _take(space: Space, kind: Kind, limit: int) -> list[tuple[int, int, int | None]]:
    """(work, asset, position) of what waits and can be derived, locked until the transaction ends."""
    assert space.parent is not None
    terms: dict[str, Any] = {"child": space.slug, "parent": space.parent.slug, "parent_id": space.parent.pk}
    with connection.cursor() as cursor:
        cursor.execute(TAKE, {**terms, "kind": kind, "look": 4 * BATCH, "limit": limit})
        return list(cursor.fetchall())


def _finish(work: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(DONE, {"ids": work})

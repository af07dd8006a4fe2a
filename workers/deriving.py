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
from archive.moderation.quarantine import hold_assets
from archive.noticing import notice
from archive.readiness import settle
from archive.vectors import Rows, read_vectors, store_vectors
from archive.video.frames import is_prepared
from archive.video.vectors import close, keep_vectors, read_next
from workers.encoders.adapter import Adapter
from workers.encoders.adapter_files import find_adapter
from workers.encoders.protocol import EncoderRefused

log = logging.getLogger(__name__)
BATCH = 500

# An asset's parent work must be done, and all its frames have a vector there: an old vector that is about to be
# made again is no source. Parent and child are worked on in the same order, so the first that wait tell.
TAKE = """
WITH waiting AS MATERIALIZED (
    SELECT id, asset_id FROM archive_work
    WHERE state = 'ready' AND step = 'encode' AND target = %(child)s
    ORDER BY priority, id LIMIT %(look)s
)
SELECT w.id, w.asset_id, w.position, (SELECT a.kind FROM archive_asset a WHERE a.id = w.asset_id)
FROM archive_work w
WHERE w.state = 'ready' AND w.id IN (
    SELECT q.id FROM waiting q
    JOIN archive_work p ON p.asset_id = q.asset_id AND p.step = 'encode' AND p.target = %(parent)s AND p.state = 'done'
    WHERE EXISTS (SELECT FROM archive_frame f WHERE f.asset_id = q.asset_id)
      AND NOT EXISTS (
        SELECT FROM archive_frame f
        LEFT JOIN archive_embedding e ON e.space_id = %(parent_id)s AND e.frame_id = f.id
        WHERE f.asset_id = q.asset_id AND e.frame_id IS NULL)
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
    while time.monotonic() < until and (count := _derive_batch(space, adapter)):
        derived += count
    return derived


@transaction.atomic
def _derive_batch(space: Space, adapter: Adapter) -> int:
    """Vectors, the end of their work and the assets' status in one transaction, whose locks are the claim."""
    assert space.parent is not None
    terms: dict[str, Any] = {"child": space.slug, "parent": space.parent.slug, "parent_id": space.parent.pk}
    with connection.cursor() as cursor:
        cursor.execute(TAKE, {**terms, "look": 4 * BATCH, "limit": BATCH})
        taken = cursor.fetchall()
        if not taken:
            return 0
        hold_assets(asset for _, asset, *_ in taken)  # it notices them in parts
        photos = [asset for _, asset, _, kind in taken if kind == Kind.PHOTO]
        rows = read_vectors(space.parent, photos)
        vectors = adapter.pictures(rows.vectors)
        store_vectors(space, rows.frames, photos, vectors)
        notice(space, Rows(rows.frames, rows.assets, vectors))
        for work, asset, position, kind in taken:
            if kind == Kind.VIDEO:
                _derive_film(space, adapter, work, asset, position)
        cursor.execute(DONE, {"ids": [work for work, *_ in taken]})
    settle(asset for _, asset, *_ in taken)
    return len(taken)


def _derive_film(space: Space, adapter: Adapter, work: int, asset: int, position: int | None) -> None:
    """The frames behind `position` that the parent has by now."""
    assert space.parent is not None
    while True:
        rows, times = read_next(space.parent, asset, position, BATCH)
        if not times:
            break
        vectors = adapter.pictures(rows.vectors)
        keep_vectors(space, asset, rows.frames, times, vectors)
        notice(space, Rows(rows.frames, rows.assets, vectors))
        position = round(times[-1] * 1000)
    Work.objects.filter(pk=work).update(position=position)
    if is_prepared(asset):
        close(space, asset)

"""Vectors of a video's frames, stored with what stands for a shot; and the one vector of the whole video."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from django.db import connection

from archive.models import DIMENSIONS, Space, SpaceState
from archive.spaces.partitions import partition
from archive.vectors import Rows, Vectors, store_vectors
from archive.video.moments import end_moments, mark_moments
from archive.video.shots import Start, part, threshold_of

RUNNING = """
SELECT f.at, halfvec_send(e.vector) FROM {partition} e JOIN archive_frame f ON f.id = e.frame_id
WHERE e.asset_id = %(asset)s AND e.representative AND f.at < %(before)s ORDER BY f.at DESC LIMIT 1
"""
# The mean of unit vectors, made unit again.
POOL = """
INSERT INTO archive_clipembedding (space_id, asset_id, vector)
SELECT %(space)s, e.asset_id, l2_normalize(avg(e.vector::vector))::halfvec FROM {partition} e
WHERE e.asset_id = %(asset)s GROUP BY e.asset_id
ON CONFLICT (space_id, asset_id) DO UPDATE SET vector = EXCLUDED.vector
"""
NEW = """
SELECT e.frame_id, f.at, halfvec_send(e.vector) FROM {partition} e JOIN archive_frame f ON f.id = e.frame_id
WHERE e.asset_id = %(asset)s AND f.at > %(after)s ORDER BY f.at LIMIT %(limit)s
"""


def keep_vectors(space: Space, asset: int, frames: Sequence[int], times: Sequence[float], vectors: Vectors) -> None:
    """Store `vectors` (n, 768) of the next frames of a video, which stand at `times`, in the caller's transaction."""
    if not len(frames):
        return
    start = _running_shot(space, asset, times[0])
    begins = part(start, times, vectors, threshold_of(space))
    store_vectors(space, frames, [asset], vectors, begins)
    if space.state == SpaceState.ACTIVE:
        mark_moments(space, asset, frames, begins, start.at if start else 0.0)


def close(space: Space, asset: int) -> None:
    """All frames of a video are encoded in this space: its clip vector is made, its last moment ends."""
    with connection.cursor() as cursor:
        cursor.execute(POOL.format(partition=partition(space)), {"space": space.pk, "asset": asset})
    if space.state == SpaceState.ACTIVE:
        end_moments(asset)


def read_next(space: Space, asset: int, position: int | None, limit: int) -> tuple[Rows, list[float]]:
    """Stored vectors of the frames behind `position` milliseconds, in order, and their seconds."""
    after = -1.0 if position is None else position / 1000
    with connection.cursor() as cursor:
        cursor.execute(NEW.format(partition=partition(space)), {"asset": asset, "after": after, "limit": limit})
        rows = cursor.fetchall()
    vectors = _unpacked([vector for _, _, vector in rows])
    return Rows([frame for frame, _, _ in rows], [asset] * len(rows), vectors), [at for _, at, _ in rows]


def _running_shot(space: Space, asset: int, before: float) -> Start | None:
    with connection.cursor() as cursor:
        cursor.execute(RUNNING.format(partition=partition(space)), {"asset": asset, "before": before})
        found = cursor.fetchone()
    return Start(found[0], _unpacked([found[1]])[0]) if found else None


def _unpacked(sent: list[bytes]) -> Vectors:
    """As pgvector sends them: two 16-bit words (numbers, unused), then half floats, the high byte first."""
    packed = np.frombuffer(b"".join(sent), dtype=">f2").reshape(len(sent), DIMENSIONS + 2)
    return packed[:, 2:].astype(np.float32)

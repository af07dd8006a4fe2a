"""Writing vectors: many rows in one statement."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from django.db import connection
from django.db.models import QuerySet

from archive.models import DIMENSIONS, Asset, Space

Vector = npt.NDArray[np.float32]

# unnest of arrays writes some 40 times faster than row by row; the conflict clause makes a
# second writer of the same frame harmless.
STORE = """
INSERT INTO archive_embedding (space_id, frame_id, asset_id, representative, vector)
SELECT %(space)s, f.id, f.asset_id, f.representative, given.vector::halfvec
FROM unnest(%(frames)s::bigint[], %(vectors)s::text[]) AS given(frame_id, vector)
JOIN archive_frame f ON f.id = given.frame_id AND f.asset_id = ANY(%(assets)s)
ON CONFLICT (space_id, frame_id)
DO UPDATE SET vector = EXCLUDED.vector, representative = EXCLUDED.representative
"""
COPY_KNOWN = """
INSERT INTO archive_embedding (space_id, frame_id, asset_id, representative, vector)
SELECT DISTINCT ON (mine.id) %(space)s, mine.id, mine.asset_id, mine.representative, known.vector
FROM archive_asset a
JOIN archive_frame mine ON mine.asset_id = a.id
JOIN archive_asset twin ON twin.sha256 = a.sha256 AND twin.id <> a.id
JOIN archive_frame its ON its.asset_id = twin.id AND its.at = mine.at
JOIN archive_embedding known ON known.space_id = %(space)s AND known.frame_id = its.id
WHERE a.id = ANY(%(assets)s)
ON CONFLICT (space_id, frame_id) DO NOTHING
RETURNING asset_id
"""

SAMPLE = """
SELECT DISTINCT ON (asset_id) halfvec_send(vector) FROM archive_embedding
WHERE space_id = %(space)s AND representative AND asset_id = ANY(%(assets)s)
ORDER BY asset_id, frame_id LIMIT %(count)s
"""


def as_text(vector: Vector) -> str:
    """As Postgres reads a vector. Five digits are more than a half float holds."""
    return "[" + ",".join([f"{number:.5g}" for number in vector.tolist()]) + "]"


def store_vectors(space: Space, frames: Sequence[int], assets: Sequence[int], vectors: npt.NDArray[np.float32]) -> None:
    """Write `vectors` (n, 768) of `frames`, which belong to `assets`. Deleted frames drop out."""
    texts = [as_text(row) for row in vectors]
    with connection.cursor() as cursor:
        cursor.execute(STORE, {"space": space.pk, "frames": list(frames), "assets": list(assets), "vectors": texts})


def copy_known_vectors(space: Space, assets: Sequence[int]) -> list[int]:
    """Give these assets the vectors of others with the same bytes; returns those that got one."""
    with connection.cursor() as cursor:
        cursor.execute(COPY_KNOWN, {"space": space.pk, "assets": list(assets)})
        return [asset for (asset,) in cursor.fetchall()]


def read_sample(space: Space, assets: QuerySet[Asset], count: int) -> npt.NDArray[np.float32]:
    """(n <= count, 768): the representatives of some of `assets`, always the same ones. Their ids are random
    and indexed, so the first ones by id are a fair sample that no scan has to look for."""
    chosen = assets.order_by("uuid").values_list("pk", flat=True)[:count]
    with connection.cursor() as cursor:
        cursor.execute(SAMPLE, {"space": space.pk, "assets": list(chosen), "count": count})
        rows = [bytes(row) for (row,) in cursor.fetchall()]
    # As halfvec is sent: the number of dimensions, two bytes unused, the numbers.
    parts = [np.frombuffer(row, dtype=">f2", offset=4) for row in rows]
    return np.asarray(parts, dtype=np.float32).reshape(len(parts), DIMENSIONS)

"""Writing and reading vectors: many rows in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection
from django.db.models import QuerySet

from archive.models import DIMENSIONS, Asset, Space
from archive.spaces.partitions import partition

Vector = npt.NDArray[np.float32]  # (768,)
Vectors = npt.NDArray[np.float32]  # (n, 768)

# unnest of arrays writes some 40 times faster than row by row; the conflict clause makes a
# second writer of the same frame harmless.
STORE = """
INSERT INTO archive_embedding (space_id, frame_id, asset_id, representative, vector)
SELECT %(space)s, f.id, f.asset_id, coalesce(given.representative, f.representative), given.vector::halfvec
FROM unnest(%(frames)s::bigint[], %(vectors)s::text[], %(flags)s::boolean[]) AS given(frame_id, vector, representative)
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
READ = """
SELECT e.frame_id, e.asset_id, halfvec_send(e.vector) FROM {partition} e
WHERE e.asset_id = ANY(%(assets)s) AND (e.representative OR %(all)s)
"""

NEAREST_IN_TIME = """
SELECT halfvec_send(e.vector) FROM {partition} e JOIN archive_frame f ON f.id = e.frame_id
WHERE e.asset_id = %(asset)s ORDER BY abs(f.at - %(at)s::float8), f.at LIMIT 1
"""


@dataclass(frozen=True)
class Rows:
    """Stored vectors (n, 768), each with its frame and asset."""

    frames: list[int]
    assets: list[int]
    vectors: npt.NDArray[np.float32]


def as_text(vector: Vector) -> str:
    """As Postgres reads a vector. Five digits are more than a half float holds."""
    return "[" + ",".join([f"{number:.5g}" for number in vector.tolist()]) + "]"


def store_vectors(
    space: Space,
    frames: Sequence[int],
    assets: Sequence[int],
    vectors: npt.NDArray[np.float32],
    representative: Sequence[bool] | None = None,
) -> None:
    """Write `vectors` (n, 768) of `frames`, which belong to `assets`. Deleted frames drop out.

    Which of them stand for a shot in this space is told by `representative`, else by the frames themselves.
    """
    rows: dict[str, Any] = {
        "frames": list(frames),
        "vectors": [as_text(row) for row in vectors],
        "flags": [None] * len(frames) if representative is None else list(representative),
    }
    with connection.cursor() as cursor:
        cursor.execute(STORE, {"space": space.pk, "assets": list(assets), **rows})


def copy_known_vectors(space: Space, assets: Sequence[int]) -> list[int]:
    """Give these assets the vectors of others with the same bytes; returns those that got one."""
    with connection.cursor() as cursor:
        cursor.execute(COPY_KNOWN, {"space": space.pk, "assets": list(assets)})
        return [asset for (asset,) in cursor.fetchall()]


def read_vectors(space: Space, assets: Sequence[int], *, representative: bool = False) -> Rows:
    """Every frame of these assets that has a vector, or the representative ones only.

    From the space's own table, as every search: a retired space has none (UndefinedTable), and is not just empty.
    """
    with connection.cursor() as cursor:
        cursor.execute(READ.format(partition=partition(space)), {"assets": list(assets), "all": not representative})
        rows = cursor.fetchall()
    return Rows([frame for frame, _, _ in rows], [asset for _, asset, _ in rows], _unpacked([row[2] for row in rows]))


def frame_vector(space: Space, asset: int, at: float) -> Vector | None:
    """(768,): of the frame that is nearest to a second, from the space's own table."""
    with connection.cursor() as cursor:
        cursor.execute(NEAREST_IN_TIME.format(partition=partition(space)), {"asset": asset, "at": at})
        row = cursor.fetchone()
    return _unpacked([row[0]])[0] if row else None


def _unpacked(sent: Sequence[bytes]) -> npt.NDArray[np.float32]:
    """(n, 768). As pgvector sends it: two 16-bit words (numbers, unused), then half floats, the high byte first."""
    packed = np.frombuffer(b"".join(sent), dtype=">f2").reshape(len(sent), DIMENSIONS + 2)
    return packed[:, 2:].astype(np.float32)


def asset_vectors(space: Space, assets: Sequence[int]) -> dict[int, Vector]:
    """One unit vector (768,) for each asset that has any: the mean of its representative frames."""
    rows = read_vectors(space, assets, representative=True)
    summed: dict[int, Vector] = {}
    for asset, vector in zip(rows.assets, rows.vectors, strict=True):
        summed[asset] = summed[asset] + vector if asset in summed else vector
    return {asset: vector / np.linalg.norm(vector) for asset, vector in summed.items()}


def read_sample(space: Space, assets: QuerySet[Asset], count: int) -> npt.NDArray[np.float32]:
    """(n <= count, 768): the vectors of some of `assets`, always the same ones. Their ids are random and indexed,
    so the first ones by id are a fair sample that no scan has to look for."""
    chosen = list(assets.order_by("uuid").values_list("pk", flat=True)[:count])
    found = asset_vectors(space, chosen)
    rows = [found[asset] for asset in chosen if asset in found]
    return np.asarray(rows, dtype=np.float32).reshape(len(rows), DIMENSIONS)

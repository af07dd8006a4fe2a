"""Writing and reading vectors: many rows in one statement."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection
from django.db.models import QuerySet
from pgvector import HalfVector

from archive.binary import binary_cursor
from archive.models import DIMENSIONS, Asset, Space
from archive.spaces.partitions import partition

Vector = npt.NDArray[np.float32]  # (768,)
Vectors = npt.NDArray[np.float32]  # (n, 768)

# unnest of arrays writes some 40 times faster than row by row; the conflict clause makes a
# second writer of the same frame harmless.
STORE = """
INSERT INTO archive_embedding (space_id, frame_id, asset_id, representative, vector)
SELECT %(space)s, f.id, f.asset_id, coalesce(given.representative, f.representative), given.vector
FROM unnest(%(frames)s::bigint[], %(vectors)b::halfvec[], %(flags)s::boolean[])
     AS given(frame_id, vector, representative)
JOIN archive_frame f ON f.id = given.frame_id AND f.asset_id = ANY(%(assets)s)
ON CONFLICT (space_id, frame_id)
DO UPDATE SET vector = EXCLUDED.vector, representative = EXCLUDED.representative
"""
# Twins first, for nearly always there are none: left to itself, the planner of a database that has no statistics yet
# may join all frames that have the same second before it, which all photographs have.
COPY_KNOWN = """
WITH twins AS MATERIALIZED (
    SELECT a.id AS mine, twin.id AS its
    FROM archive_asset a JOIN archive_asset twin ON twin.sha256 = a.sha256 AND twin.id <> a.id
    WHERE a.id = ANY(%(assets)s)
)
INSERT INTO archive_embedding (space_id, frame_id, asset_id, representative, vector)
SELECT DISTINCT ON (mine.id) %(space)s, mine.id, mine.asset_id, mine.representative, known.vector
FROM twins
JOIN archive_frame mine ON mine.asset_id = twins.mine
JOIN archive_frame its ON its.asset_id = twins.its AND its.at = mine.at
JOIN archive_embedding known ON known.space_id = %(space)s AND known.frame_id = its.id
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
AFTER = """
COPY (
    SELECT e.frame_id, e.asset_id, e.vector FROM {partition} e
    WHERE e.asset_id > %s AND e.asset_id <= %s ORDER BY e.asset_id LIMIT %s
) TO STDOUT (FORMAT binary)
"""
SOME = """
COPY (
    SELECT e.frame_id, e.asset_id, e.vector FROM {partition} e WHERE e.asset_id = ANY(%s::bigint[]) ORDER BY e.asset_id
) TO STDOUT (FORMAT binary)
"""
# A row of COPY in binary: the number of columns, then each with its length in front. A header and a trailer around all.
COPIED = np.dtype(
    [
        *(("columns", ">i2"), ("l1", ">i4"), ("frame", ">i8"), ("l2", ">i4"), ("asset", ">i8"), ("l3", ">i4")),
        *(("dimensions", ">i2"), ("unused", ">i2"), ("vector", ">f2", DIMENSIONS)),
    ]
)
HEADER, TRAILER = 19, 2
LAST = 2**63 - 1
PART = 8_000  # rows: 25 MB as float32


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
        "vectors": [HalfVector(row) for row in vectors],
        "flags": [None] * len(frames) if representative is None else list(representative),
    }
    with binary_cursor() as cursor:
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


def read_on(space: Space, after: int, rows: int, upto: int = LAST) -> Rows:
    """The vectors of whole assets, in the order of their ids: those behind `after`, some `rows` of them; none at the
    end. COPY sends numbers as they are stored, three times as fast as rows of a cursor."""
    found = _copied(space, after, upto, rows)
    if len(found) < rows:
        return _as_rows(found)
    last = int(found["asset"][-1])  # it may go on
    whole = found[: np.searchsorted(found["asset"].astype(np.int64), last)]
    return _as_rows(whole if len(whole) else _copied(space, last - 1, last, LAST))


def read_some(space: Space, assets: Sequence[int], rows: int = PART) -> Iterator[Rows]:
    """As `read_vectors`, every frame of these assets, for thousands of them: `rows` at a time as they come, in the
    order of assets, so that no number of films fills the memory. An asset may go on in the next part."""
    statement = SOME.format(partition=partition(space))
    with connection.cursor() as cursor, cursor.copy(statement, [list(assets)]) as copy:
        waiting, size, front = [], 0, HEADER
        for data in copy:
            waiting.append(bytes(data))
            size += len(data)
            if (whole := (size - front) // COPIED.itemsize) >= rows:
                joined = b"".join(waiting)
                yield _as_rows(np.frombuffer(joined, dtype=COPIED, offset=front, count=whole))
                rest = joined[front + whole * COPIED.itemsize :]
                waiting, size, front = [rest], len(rest), 0
        if (whole := (size - front) // COPIED.itemsize) > 0:  # the trailer is shorter than a row
            yield _as_rows(np.frombuffer(b"".join(waiting), dtype=COPIED, offset=front, count=whole))


def _copied(space: Space, after: int, upto: int, rows: int) -> npt.NDArray[np.void]:
    return _copy(AFTER.format(partition=partition(space)), [after, upto, rows])


def _copy(statement: str, params: list[Any]) -> npt.NDArray[np.void]:
    with connection.cursor() as cursor, cursor.copy(statement, params) as copy:
        data = b"".join(copy)
    return np.frombuffer(data, dtype=COPIED, offset=HEADER, count=(len(data) - HEADER - TRAILER) // COPIED.itemsize)


def _as_rows(found: npt.NDArray[np.void]) -> Rows:
    return Rows(found["frame"].tolist(), found["asset"].tolist(), found["vector"].astype("<f2").astype(np.float32))


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

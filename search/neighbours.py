"""The one nearest-neighbour statement: exact where few rows match, HNSW where many do.

Permission and filters stand inside the statement, so a neighbour that may not be seen is never
fetched. Which way it goes is decided inside it too, by counting the candidates up to a
threshold: one snapshot, one round trip, and the branch not taken is never executed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from archive.models import Asset, Space
from archive.spaces import index_state, partition
from archive.vectors import Vector, as_text

# hnsw.ef_search and hnsw.max_scan_tuples stand in the way of long answers when left alone:
# at its default of 40, HNSW returns 40 rows whatever the LIMIT.
EF_LEAST, EF_MOST = 200, 1000
SCAN_TUPLES = 40_000
EVERYTHING = 2**31 - 2

STATEMENT = """
WITH candidate (id) AS NOT MATERIALIZED ({candidates}),
gate AS MATERIALIZED (
    SELECT count(*) AS matching FROM (SELECT 1 FROM candidate LIMIT %(threshold)s + 1) AS few
),
exact AS (
    SELECT e.asset_id, e.frame_id, (e.vector <#> %(vector)s::halfvec) + 0 AS distance
    FROM {partition} e
    WHERE e.asset_id IN (SELECT id FROM candidate)
      AND (SELECT matching FROM gate) <= %(threshold)s
),
near AS MATERIALIZED (
    SELECT e.asset_id FROM {partition} e
    WHERE e.representative
      AND EXISTS (SELECT 1 FROM candidate WHERE candidate.id = e.asset_id)
      AND (SELECT matching FROM gate) > %(threshold)s
    ORDER BY e.vector <#> %(vector)s::halfvec
    LIMIT %(fetch)s
),
rescored AS (
    SELECT e.asset_id, e.frame_id, (e.vector <#> %(vector)s::halfvec) + 0 AS distance
    FROM {partition} e WHERE e.asset_id IN (SELECT asset_id FROM near)
),
best AS (
    SELECT DISTINCT ON (asset_id) asset_id, frame_id, distance
    FROM (SELECT * FROM exact UNION ALL SELECT * FROM rescored) AS found
    ORDER BY asset_id, distance
)
SELECT asset_id, frame_id, distance, (SELECT matching FROM gate)
FROM best ORDER BY distance, asset_id LIMIT %(limit)s
"""

SIMILARITIES = """
SELECT e.frame_id, -((e.vector <#> %(vector)s::halfvec) + 0)
FROM {partition} e WHERE e.frame_id = ANY(%(frames)s)
"""


@dataclass(frozen=True)
class Neighbour:
    """`distance` is the negative inner product, as pgvector orders by it."""

    asset_id: int
    frame_id: int
    distance: float


@dataclass(frozen=True)
class Found:
    neighbours: list[Neighbour]
    plan: str  # "exact" | "hnsw"


def find_neighbours(
    space: Space, vector: Vector, candidates: QuerySet[Asset], limit: int, *, exact: bool = False
) -> Found:
    """The `limit` nearest of `candidates` by their best frame, nearest first.

    `vector`: (768,) unit length. Never fewer rows than exist: where HNSW gives up early, because
    the candidates lie far from the query, the answer is computed exactly instead.
    """
    threshold = EVERYTHING if exact else gate_threshold(space)
    found = _run(space, vector, candidates, limit, threshold)
    if found.plan == "hnsw" and len(found.neighbours) < limit:
        return _run(space, vector, candidates, limit, EVERYTHING)
    return found


def gate_threshold(space: Space) -> int:
    """Up to how many candidates exact search is the better way.

    Measured: about 20,000 in a space of 100,000 and 50,000 in one of a million, for HNSW under a
    filter costs with the size of the graph. A space without an index is always searched exactly.
    """
    state = index_state(space)
    return int(20_000 * max(1.0, state.rows / 100_000) ** 0.4) if state.valid else EVERYTHING


def similarities(space: Space, vector: Vector, frames: Sequence[int]) -> dict[int, float]:
    """Inner products of `vector` with some stored frames."""
    sql = SIMILARITIES.format(partition=partition(space))
    with connection.cursor() as cursor:
        cursor.execute(sql, {"vector": as_text(vector), "frames": list(frames)})
        return dict(cursor.fetchall())


def stored_vector(space: Space, asset: Asset) -> list[float] | None:
    """The vector that stands for an asset: of its frame, or the mean of a video's."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT l2_normalize(avg(e.vector)::vector)::text FROM {partition(space)} e WHERE e.asset_id = %s",  # noqa: S608
            [asset.pk],
        )
        (text,) = cursor.fetchone() or (None,)
    return [float(number) for number in text.strip("[]").split(",")] if text else None


def _run(space: Space, vector: Vector, candidates: QuerySet[Asset], limit: int, threshold: int) -> Found:
    sql, params = compile_statement(space, candidates)
    params |= {"vector": as_text(vector), "threshold": threshold, "limit": limit, "fetch": limit + limit // 4}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true), "
            "set_config('hnsw.ef_search', %s, true), set_config('hnsw.max_scan_tuples', %s, true), "
            "set_config('plan_cache_mode', 'force_custom_plan', true)",
            [str(min(EF_MOST, max(EF_LEAST, limit))), str(SCAN_TUPLES)],
        )
        cursor.execute(sql, params)
        fetched = cursor.fetchall()
    matching = fetched[0][3] if fetched else 0
    return Found([Neighbour(*row[:3]) for row in fetched], "hnsw" if matching > threshold else "exact")


def compile_statement(space: Space, candidates: QuerySet[Asset]) -> tuple[str, dict[str, Any]]:
    """The statement with the candidates' SQL inside it, and the candidates' parameters by name."""
    inner, values = candidates.order_by().values("pk").query.sql_with_params()
    numbers = count()
    inner = re.sub(r"%s", lambda _: f"%(c{next(numbers)})s", inner)
    sql = STATEMENT.format(candidates=inner, partition=partition(space))
    return sql, {f"c{i}": value for i, value in enumerate(values)}

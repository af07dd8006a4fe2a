"""Pairs: what lies close to what, for near-duplicates (search.comparing) and footage that recurs (search.reuse)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import OperationalError
from django.db.models import QuerySet
from psycopg.errors import QueryCanceled

from archive.models import Asset, Space
from archive.models.duplicates import LEAST_QUALITY, LEAST_SPREAD
from archive.spaces import index_state, partition
from search.neighbours import compile_candidates
from search.neighbours.reading import SCAN_TUPLES, reading, settings, tables_that_may_go

CLOSE_PAIRS = """
SELECT mine.asset_id, near.asset_id, max(near.closeness)
FROM {partition} mine CROSS JOIN LATERAL (
    SELECT e.asset_id, -(e.vector <#> mine.vector) AS closeness
    FROM {partition} e WHERE e.representative ORDER BY e.vector <#> mine.vector LIMIT %(nearest)s
) AS near
WHERE mine.representative AND mine.asset_id = ANY(%(assets)s)
  AND near.asset_id <> mine.asset_id AND near.closeness >= %(least)s
GROUP BY 1, 2
"""
CLOSENESS = """
SELECT pair.low, pair.high, max(-((one.vector <#> other.vector) + 0))
FROM unnest(%(lows)s::bigint[], %(highs)s::bigint[]) AS pair(low, high)
JOIN {partition} one ON one.asset_id = pair.low AND one.representative
JOIN {partition} other ON other.asset_id = pair.high AND other.representative
GROUP BY 1, 2
"""
CLOSE_SHOTS = """
WITH candidate (id) AS NOT MATERIALIZED ({candidates})
SELECT mine.frame_id, near.frame_id
FROM {partition} mine CROSS JOIN LATERAL (
    SELECT e.frame_id, -(e.vector <#> mine.vector) AS closeness FROM {partition} e
    WHERE e.representative AND EXISTS (SELECT 1 FROM candidate WHERE candidate.id = e.asset_id)
    ORDER BY e.vector <#> mine.vector LIMIT %(nearest)s
) AS near
WHERE mine.asset_id = %(asset)s AND mine.frame_id = ANY(%(frames)s) AND near.closeness >= %(least)s
"""
# Of unit vectors the mean inner product of all pairs is the square of their mean's length.
USUAL = """
SELECT count(*), -(avg(vector::vector) <#> avg(vector::vector))
FROM (SELECT vector FROM {partition} TABLESAMPLE SYSTEM (%(share)s) LIMIT %(rows)s) AS sample
"""
LOOKING_ALIKE = """
SELECT DISTINCT given.asset_id, near.asset_id
FROM unnest(%(assets)s::bigint[], %(hashes)s::text[]) AS given(asset_id, hash) CROSS JOIN LATERAL (
    SELECT f.asset_id, f.pdq <~> given.hash::bit(256) AS distance
    FROM archive_fingerprint f WHERE {comparable}
    ORDER BY f.pdq <~> given.hash::bit(256) LIMIT %(nearest)s
) AS near
WHERE near.asset_id <> given.asset_id AND near.distance <= %(most)s
"""
# The very condition of the index: with parameters in it Postgres would not know that it is the same.
COMPARABLE = f"f.quality >= {LEAST_QUALITY} AND f.spread >= {LEAST_SPREAD}"
USUAL_ROWS = 2000
SHOT_TUPLES = 4_000
EF_PAIRS = 200  # what is nearly equal is found long before what is merely near

Pair = tuple[int, int]


def close_pairs(space: Space, assets: Sequence[int], least: float, nearest: int) -> dict[Pair, float]:
    """Who is among the `nearest` of each of `assets` with an inner product of at least `least`, and how close."""
    rows = _search(CLOSE_PAIRS.format(partition=partition(space)), assets=list(assets), least=least, nearest=nearest)
    return {in_order(one, other): closeness for one, other, closeness in rows}


def closeness_of(space: Space, pairs: Sequence[Pair]) -> dict[Pair, float]:
    """Inner products of pairs of assets, by their closest frames; without those that have no vector."""
    lows, highs = [low for low, _ in pairs], [high for _, high in pairs]
    rows = _search(CLOSENESS.format(partition=partition(space)), lows=lows, highs=highs)
    return {(low, high): closeness for low, high, closeness in rows}


def usual_closeness(space: Space) -> float | None:
    """The mean inner product of two vectors of the space that have nothing to do with each other; None for a few."""
    rows = index_state(space).rows
    share = min(100.0, 100.0 * 2 * USUAL_ROWS / rows) if rows > USUAL_ROWS else 100.0
    ((count, mean),) = _search(USUAL.format(partition=partition(space)), share=share, rows=USUAL_ROWS)
    # Each vector is its own pair, too, and is not to be counted.
    return (count * mean - 1) / (count - 1) if count > 1 else None


def looking_alike(hashes: Sequence[tuple[int, str]], most: int, nearest: int, ef: int = EF_PAIRS) -> set[Pair]:
    """Pairs of assets of which PDQ differs in `most` bits of 256 at most, among the `nearest` of each hash.

    `hashes`: an asset and 256 digits; an asset may come with several (turned, mirrored).
    """
    assets, texts = [asset for asset, _ in hashes], [text for _, text in hashes]
    sql = LOOKING_ALIKE.format(comparable=COMPARABLE)
    return {in_order(*row) for row in _search(sql, ef, assets=assets, hashes=texts, most=most, nearest=nearest)}


def close_shots(
    space: Space,
    asset: int,
    frames: Sequence[int],
    candidates: QuerySet[Asset],
    least: float,
    nearest: int,
    seconds: float,
) -> list[Pair] | None:
    """For each of `frames`, which stand for shots of `asset`: the `nearest` shots of `candidates` with an inner product
    of at least `least`, as pairs of frames. None where it would take longer than `seconds`."""
    chosen = compile_candidates(candidates)
    if not chosen.sql:
        return []
    sql = CLOSE_SHOTS.format(partition=partition(space), candidates=chosen.sql)
    asked = {**chosen.params, "asset": asset, "frames": list(frames), "least": least, "nearest": nearest}
    try:
        with tables_that_may_go():
            rows = _search(sql, scan=SHOT_TUPLES, within_ms=max(1, round(seconds * 1000)), **asked)
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            return None
        raise
    return [(mine, other) for mine, other in rows]


def in_order(one: int, other: int) -> Pair:
    return (one, other) if one < other else (other, one)


def _search(
    sql: str, ef: int = EF_PAIRS, scan: int = SCAN_TUPLES, within_ms: int | None = None, **params: Any
) -> list[tuple[Any, ...]]:
    with reading() as cursor:
        cursor.execute(settings(ef, scan, within_ms, jit=False))  # compiling costs more than these take
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows

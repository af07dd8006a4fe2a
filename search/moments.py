"""Moments: where in a video something is. Exact, over all frames of videos that are known already.

A frame belongs to the shot that runs at its second. The best frame of a shot says how close the shot is. It opens
at the first frame that is as good, give or take what no eye would tell apart: who looks for a scene wants to see it
from where it begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from archive.models import Space
from archive.spaces import partition
from archive.vectors import Vector, as_text
from search.exclusion import Price
from search.hits import Moment
from search.neighbours import WITHIN_MS, read_rows

MOST_SHOWN = 8  # of one video, beside others
# Shots begin before their frames: where one begins is a row of its own, and the latest one so far is the one that
# runs. Shots neither overlap nor go back, so the latest is the greatest. A frame without a shot is its own.
FRAMES = """
placed AS (
    SELECT asset_id, frame_id, at, coalesce(start, at) AS start, greatest(coalesce(stop, at), at) AS stop
    FROM (
        SELECT asset_id, frame_id, at, max(start) OVER run AS start, max(stop) OVER run AS stop
        FROM (
            SELECT asset_id, id AS frame_id, at, NULL::float8 AS start, NULL::float8 AS stop
            FROM archive_frame WHERE asset_id = ANY(%(assets)s)
            UNION ALL
            SELECT asset_id, NULL, start, start, "end" FROM archive_frame
            WHERE asset_id = ANY(%(assets)s) AND representative AND start IS NOT NULL
        ) AS event
        WINDOW run AS (PARTITION BY asset_id ORDER BY at, frame_id NULLS FIRST ROWS UNBOUNDED PRECEDING)
    ) AS running
    WHERE frame_id IS NOT NULL
)"""
# Only numbers go on from here: sorted and joined beside them, the vectors would be written to disk and read again.
SCORES = """
scores AS MATERIALIZED (
    SELECT e.frame_id, {scores} FROM {partition} e WHERE e.asset_id = ANY(%(assets)s)
)"""
BEST_FRAMES = """
SELECT DISTINCT ON (e.asset_id) e.asset_id, e.frame_id, {score} AS score
FROM {partition} e WHERE e.asset_id = ANY(%(assets)s)
ORDER BY e.asset_id, score DESC, e.frame_id
"""
BEST_MOMENTS = """
WITH {frames},{scores},
scored AS (
    SELECT p.asset_id, p.start, p.stop, p.at, s.score FROM placed p JOIN scores s ON s.frame_id = p.frame_id
),
shot AS (
    SELECT DISTINCT ON (asset_id, start) asset_id, start, stop, at, best AS score FROM (
        SELECT *, max(score) OVER (PARTITION BY asset_id, start) AS best FROM scored
    ) AS compared
    WHERE score >= best - greatest(%(slack)s::float8, %(share)s::float8 * abs(best)) ORDER BY asset_id, start, at
)
SELECT asset_id, start, stop, at, score FROM (
    SELECT *, row_number() OVER (PARTITION BY asset_id ORDER BY score DESC, start) AS place FROM shot
) AS ranked
WHERE place <= %(most)s ORDER BY asset_id, place
"""
SECONDS = """
SELECT f.at, {score} AS score
FROM {partition} e JOIN archive_frame f ON f.id = e.frame_id
WHERE e.asset_id = %(asset)s ORDER BY f.at
"""


@dataclass(frozen=True)
class Aim:
    """What frames are compared with: what is wanted, (768,) of unit length, and what each unwanted thing costs.

    A frame is as good as another that is closer by no more than `slack`, or by that `share` of its closeness.
    """

    space: Space
    wanted: Vector
    prices: tuple[tuple[Vector, Price], ...] = ()
    slack: float = 0.0
    share: float = 0.0

    def score(self, name: str = "aim") -> tuple[str, dict[str, Any]]:
        """The closeness of `e.vector` as SQL, with its parameters; `name` keeps those of several aims apart."""
        sql = f"inner_product(e.vector, %({name})s::halfvec)"
        params: dict[str, Any] = {name: as_text(self.wanted)}
        for n, (unwanted, price) in enumerate(self.prices):
            slope, free, vector = f"{name}_slope{n}", f"{name}_free{n}", f"{name}_unwanted{n}"
            likeness = f"inner_product(e.vector, %({vector})s::halfvec)"
            sql += f" - %({slope})s::float8 * greatest(0, {likeness} - %({free})s::float8)"
            params |= {slope: price.slope, free: price.free, vector: as_text(unwanted)}
        return f"({sql})", params


def best_frames(aim: Aim, assets: Sequence[int], within_ms: int = WITHIN_MS) -> dict[int, tuple[int, float]]:
    """The frame of each asset that comes closest to the aim, and how close it comes."""
    score, params = aim.score()
    sql = BEST_FRAMES.format(partition=partition(aim.space), score=score)
    rows = read(sql, {**params, "assets": list(assets)}, within_ms)
    return {asset: (frame, closeness) for asset, frame, closeness in rows}


def best_moments(aim: Aim, assets: Sequence[int], most: int = MOST_SHOWN) -> dict[int, list[Moment]]:
    """Up to `most` shots of each video, the closest first; each opens `at` its first frame as good as its best."""
    score, params = aim.score()
    params |= {"assets": list(assets), "most": most, "slack": aim.slack, "share": aim.share}
    scores = SCORES.format(scores=f"{score} AS score", partition=partition(aim.space))
    sql = BEST_MOMENTS.format(frames=FRAMES, scores=scores)
    found: dict[int, list[Moment]] = {}
    for asset, start, stop, at, closeness in read(sql, params):
        found.setdefault(asset, []).append(Moment(start, stop, at, round(closeness, 4)))
    return found


def closeness_by_second(aim: Aim, asset: int) -> list[tuple[float, float]]:
    """Each frame of one video: its second, and how close it comes."""
    score, params = aim.score()
    return read(SECONDS.format(partition=partition(aim.space), score=score), {**params, "asset": asset})


def read(sql: str, params: dict[str, Any], within_ms: int = WITHIN_MS) -> list[tuple[Any, ...]]:
    """Raises `TooSlow`, as finding neighbours does."""
    return read_rows(sql, params, within_ms, jit=False)  # compiling costs more than these take

"""Sequences: "A, then B within a minute" and "A and B in the same video".

Each term has its moments: the shots of a video that come closest to it. A chain takes one of them for each term, in
order, each beginning after the one before began and at most so many seconds after that one ended. Closenesses of
different terms do not compare, so each is measured in spreads above what is usual for its term, and a chain is as
good as its weakest moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, zip_longest
from typing import Any

from archive.models import Asset
from archive.spaces import partition
from search.background import Background
from search.hits import Moment
from search.moments import FRAMES, SCORES, Aim, read
from search.relevance import Line

# Shots of a video that are tried for each term. Most videos have fewer.
MOST_SHOTS = 40
# Frames that are compared with a term: for two terms half as many as for one.
MOST_FRAMES, LEAST_VIDEOS = 600_000, 60

SHOTS = """
step{n} AS MATERIALIZED (
    SELECT asset_id, start, stop, at, score, (score - %(mean{n})s::float8) / %(spread{n})s::float8 AS excess FROM (
        SELECT *, row_number() OVER (PARTITION BY asset_id ORDER BY score DESC, start) AS place FROM (
            SELECT DISTINCT ON (asset_id, start) asset_id, start, stop, at, best AS score FROM (
                SELECT *, max(s{n}) OVER (PARTITION BY asset_id, start) AS best FROM scored
            ) AS compared
            WHERE s{n} >= best - greatest(%(slack{n})s::float8, %(share{n})s::float8 * abs(best))
            ORDER BY asset_id, start, at
        ) AS shot
    ) AS ranked WHERE place <= %(most)s
)"""
FIRST = """
chain0 AS (
    SELECT asset_id, start, stop, excess AS weakest, ARRAY[start, stop, at, score] AS path FROM step0
)"""
THEN = """
chain{n} AS (
    SELECT DISTINCT ON (later.asset_id, later.start) later.asset_id, later.start, later.stop,
           least(earlier.weakest, later.excess) AS weakest,
           earlier.path || ARRAY[later.start, later.stop, later.at, later.score] AS path
    FROM chain{before} earlier JOIN step{n} later ON later.asset_id = earlier.asset_id
         AND later.start > earlier.start
         AND (%(seconds)s::float8 = 0 OR later.start <= earlier.stop + %(seconds)s::float8)
    ORDER BY later.asset_id, later.start, weakest DESC, earlier.start DESC
)"""
ALSO = """
chain{n} AS (
    SELECT DISTINCT ON (chain.asset_id) chain.asset_id, chain.start, chain.stop,
           least(chain.weakest, beside.excess) AS weakest,
           chain.path || ARRAY[beside.start, beside.stop, beside.at, beside.score] AS path
    FROM chain{before} chain JOIN step{n} beside ON beside.asset_id = chain.asset_id
    ORDER BY chain.asset_id, weakest DESC, beside.excess DESC, chain.start
)"""
CHAINS = """
WITH {frames},{scores},
scored AS MATERIALIZED (
    SELECT p.asset_id, p.start, p.stop, p.at, s.* FROM placed p JOIN scores s ON s.frame_id = p.frame_id
),
{steps}
SELECT asset_id, weakest, path FROM (
    SELECT DISTINCT ON (asset_id) asset_id, weakest, path, start FROM chain{last} ORDER BY asset_id, weakest DESC, start
) AS best ORDER BY weakest DESC, asset_id
"""


@dataclass(frozen=True)
class Step:
    """A term of a sequence. `line`: from where on a moment matches it well. `beside`: anywhere in the same video."""

    aim: Aim
    background: Background
    line: Line
    beside: bool = False

    @property
    def usual(self) -> tuple[float, float]:
        """Mean and spread of what is usual; where nothing is known, closeness stays as it is."""
        return (self.background.mean, self.background.spread) if self.background.known else (0.0, 1.0)


@dataclass(frozen=True)
class Chain:
    """A moment for each step, in their order. `weakest`: spreads above what is usual, of the weakest of them."""

    asset_id: int
    weakest: float
    moments: tuple[Moment, ...]
    well: bool


def nearest_of_all(lists: Sequence[Sequence[int]]) -> list[int]:
    """Each asset once: the first of each list, then the second of each, and so on."""
    turns = chain.from_iterable(zip_longest(*lists))
    return list(dict.fromkeys(asset for asset in turns if asset is not None))


def short_enough(assets: Sequence[int], terms: int) -> list[int]:
    """The first of `assets`, as many as can be compared with so many terms in the time that a statement has; of
    the longest films some in any case."""
    lengths = Asset.objects.filter(pk__in=assets).values_list("pk", "duration", "step_ms")
    frames = {pk: 1000 * (seconds or 0.0) / (step or 1000) + 1 for pk, seconds, step in lengths}
    sums = accumulate(frames.get(asset, 0.0) for asset in assets)
    fitting = [asset for asset, total in zip(assets, sums, strict=True) if total <= MOST_FRAMES / terms]
    return fitting if len(fitting) >= LEAST_VIDEOS else list(assets[:LEAST_VIDEOS])


def find_chains(steps: Sequence[Step], assets: Sequence[int], seconds: float) -> list[Chain]:
    """The best chain of each of `assets` that has one, the best first. `steps`: those in order first, then those
    `beside`; `seconds` is the longest pause between two that follow each other, 0 any. Raises `TooSlow`."""
    sql, params = compile_chains(steps)
    rows = read(sql, {**params, "assets": list(assets), "seconds": seconds, "most": MOST_SHOTS})
    return [_chain(asset, weakest, path, steps) for asset, weakest, path in rows]


def compile_chains(steps: Sequence[Step]) -> tuple[str, dict[str, Any]]:
    params: dict[str, Any] = {}
    scores, parts = [], []
    for n, step in enumerate(steps):
        score, own = step.aim.score(f"aim{n}")
        mean, spread = step.usual
        params |= own | {
            f"mean{n}": mean,
            f"spread{n}": spread,
            f"slack{n}": step.aim.slack,
            f"share{n}": step.aim.share,
        }
        scores.append(f"{score} AS s{n}")
        link = FIRST if n == 0 else ALSO if step.beside else THEN
        parts += [SHOTS.format(n=n), link.format(n=n, before=n - 1)]
    sql = CHAINS.format(
        frames=FRAMES,
        scores=SCORES.format(scores=", ".join(scores), partition=partition(steps[0].aim.space)),
        steps=",".join(parts),
        last=len(steps) - 1,
    )
    return sql, params


def _chain(asset: int, weakest: float, path: Sequence[float], steps: Sequence[Step]) -> Chain:
    quads = [path[i : i + 4] for i in range(0, len(path), 4)]
    moments = tuple(
        Moment(start, stop, at, round(score, 4), score >= step.line.well)
        for (start, stop, at, score), step in zip(quads, steps, strict=True)
    )
    return Chain(asset, weakest, moments, all(moment.well for moment in moments))

"""The one nearest-neighbour statement: exact where few rows match, HNSW where many do.

Permission and filters stand inside the statement, so a neighbour that may not be seen is never
fetched. Which way it goes is decided inside it too, by counting the candidates up to a
threshold: one snapshot, one round trip, and the branch not taken is never executed. For a minute
the count of the same candidates is remembered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import orjson
from django.core.cache import cache
from django.db import connection
from redis.exceptions import RedisError

from archive.models import Asset, Space
from archive.spaces import index_state, partition
from archive.vectors import Vector, as_text, asset_vectors, frame_vector
from search.neighbours.chosen import SOMEBODY, Candidates, Chosen, compile_candidates
from search.neighbours.reading import (
    EF_LEAST,
    SCAN_TUPLES,
    WITHIN_MS,
    limited_to,
    read_rows,
    tables_that_may_go,
)
from search.neighbours.statement import compile_held, compile_statement

__all__ = [
    "EXACTLY_WITHIN_MS",
    "SOMEBODY",
    "WITHIN_MS",
    "Candidates",
    "Chosen",
    "Found",
    "Neighbour",
    "compile_candidates",
    "effort",
    "find_neighbours",
    "holds_videos",
    "limited_to",
    "prepare_neighbours",
    "read_rows",
    "similarities",
    "stored_vector",
    "tables_that_may_go",
    "vector_at",
]

EF_MOST = 1000
REMEMBER_SECONDS = 60
# How many representatives are fetched for each asset that is wanted. A video has many, close to each other, and its
# best frame need not be the one that stands for its shot: with ten times as many 0.99 of the right assets were found
# among 4,000 videos. Where a few long videos take them all, a wider look comes before comparing with everything.
OF_PHOTOS, OF_VIDEOS, WIDER = 1.25, 10.0, 8.0
# Under a filter the nearest candidates need not be among the first that the graph comes by.
OF_FILTERED = 5.0
MOST_PASS = 0.8  # a filter that lets more through than that is none
MOST_FETCHED = 4000
# Frames that are read to score videos by their best one; a page of the longest videos is scored so in any case.
FRAMES_RESCORED, LEAST_RESCORED = 200_000, 60
# Comparing with everything is asked for by those who know that it takes its time.
EXACTLY_WITHIN_MS = 60_000

HELD = "SELECT EXISTS (SELECT FROM {partition})"
ASSETS = "SELECT reltuples FROM pg_class WHERE oid = 'archive_asset'::regclass"
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
    plan: str  # "exact" | "hnsw" | "shots": every candidate, by what stands for its shots


def find_neighbours(space: Space, vector: Vector, candidates: Candidates, limit: int, *, exact: bool = False) -> Found:
    """The `limit` nearest of `candidates` by their best frame, nearest first.

    `vector`: (768,) unit length. Never fewer rows than exist: where HNSW gives up early, because
    the candidates lie far from the query, the answer is computed exactly instead.
    """
    return prepare_neighbours(space, vector, candidates, limit, exact=exact)()


def prepare_neighbours(
    space: Space, vector: Vector, candidates: Candidates, limit: int, *, exact: bool = False
) -> Callable[[], Found]:
    """All of `find_neighbours` but the statement: which way it takes. What is returned takes it."""
    chosen = compile_candidates(candidates)
    if not chosen.sql:
        return lambda: Found([], "exact")
    wanted = Wanted(space, vector, chosen, limit)
    if exact:
        wanted.within_ms = EXACTLY_WITHIN_MS
        return partial(wanted.run, "exact")
    known = wanted.remembered_way()
    if known:
        way, share, wanted.wide, rows = known
        threshold = 0
        wanted.frames = frames_an_asset(rows) if wanted.wide >= OF_VIDEOS else 1.0
    else:
        index = index_state(space)
        if not index.valid:
            return partial(wanted.run, "exact")
        rows = index.rows
        wanted.frames = frames_an_asset(rows) if holds_videos(space) else 1.0
        share = wanted.estimated_share(rows / wanted.frames)
        wanted.wide = fetched_for_each(share, videos=wanted.videos)
        # The gate counts assets; what comparing costs is their frames.
        way, threshold = "counted", int(gate_threshold(rows) / wanted.frames)
    if wanted.videos and (held := wanted.held()) < limit:
        # All of them are wanted, and of a few long films that is more than the index gives.
        return partial(wanted.run, "exact" if held * wanted.frames <= gate_threshold(rows) else "shots")
    wanted.ef = effort(rows, limit, share)

    def find() -> Found:
        found = wanted.run(way, threshold)
        short = found.plan != "exact" and len(found.neighbours) < limit
        held = wanted.held() if short else 0
        if 0 < len(found.neighbours) < held and wanted.look_wider():
            found = wanted.run("hnsw")
        if not known and found.neighbours:
            wanted.remember_way(Way(found.plan, share, wanted.wide, rows))
        if len(found.neighbours) < held:
            return wanted.run("shots" if wanted.videos else "exact")
        return found

    return find


def holds_videos(space: Space) -> bool:
    """Whether anything in a space has more than one vector."""
    with tables_that_may_go(), connection.cursor() as cursor:
        cursor.execute(HELD.format(partition=partition(space, "archive_clipembedding")))
        (found,) = cursor.fetchone() or (False,)
    return bool(found)


def frames_an_asset(rows: int) -> float:
    """How many of `rows` vectors of a space with videos an asset has in the mean, as Postgres estimates both; a
    little more than one where it does not know."""
    with connection.cursor() as cursor:
        cursor.execute(ASSETS)
        (assets,) = cursor.fetchone() or (0.0,)
    return max(1.001, rows / assets) if assets > 0 else 1.001


def fetched_for_each(share: float, *, videos: bool) -> float:
    """How many rows of the index are fetched for each asset that is wanted."""
    return max(OF_VIDEOS if videos else OF_PHOTOS, OF_FILTERED if share < MOST_PASS else 0)


def gate_threshold(rows: int) -> int:
    """Up to how many candidates exact search is the better way, in an indexed space of so many rows.

    Measured: about 20,000 in a space of 100,000 and 50,000 in one of a million, for HNSW under a
    filter costs with the size of the graph.
    """
    return int(20_000 * max(1.0, rows / 100_000) ** 0.4)


def effort(rows: int, limit: int, share: float = 1.0) -> int:
    """hnsw.ef_search: how many rows HNSW holds while it looks, for `limit` rows out of so many, of which a `share`
    passes the filters. Under a filter it looks several times (OF_FILTERED), and each time less widely.

    Measured with the graph that `build_index` makes, among 100,000: 600 finds 0.977 to 0.986 of the nearest 50 of all,
    800 finds 0.991; and 400 with five times as many rows 0.98 or more of three tenths, wherever these lie.
    """
    usual: float = (800 if share >= MOST_PASS else 400) * (max(rows, 1) / 100_000) ** 0.15
    return max(EF_LEAST, min(EF_MOST, max(round(usual), limit)))


def similarities(space: Space, vector: Vector, frames: Sequence[int]) -> dict[int, float]:
    """Inner products of `vector` with some stored frames."""
    sql = SIMILARITIES.format(partition=partition(space))
    return dict(read_rows(sql, {"vector": as_text(vector), "frames": list(frames)}, WITHIN_MS))


def stored_vector(space: Space, asset: Asset) -> Vector | None:
    """(768,): the vector that stands for an asset: of its frame, or the mean of a video's."""
    with tables_that_may_go():
        return asset_vectors(space, [asset.pk]).get(asset.pk)


def vector_at(space: Space, asset: Asset, at: float) -> Vector | None:
    """(768,): the vector of the frame of an asset that is nearest to a second."""
    with tables_that_may_go():
        return frame_vector(space, asset.pk, at)


class Way(NamedTuple):
    """How a question was answered: what the statement chose, the share of the space that passes, how many rows of the
    index were fetched for each asset, and how many rows the index had."""

    plan: str
    share: float
    wide: float
    rows: int


class Wanted:
    """One question to the statement, in whichever shape."""

    ef = EF_LEAST
    wide = OF_PHOTOS
    frames = 1.0  # an asset
    within_ms = WITHIN_MS

    def __init__(self, space: Space, vector: Vector, chosen: Chosen, limit: int) -> None:
        self.space = space
        self.candidates, self.filters = chosen.sql, chosen.params
        self.params = {**self.filters, "vector": as_text(vector), "limit": limit}

    @property
    def fetch(self) -> int:
        """How many representatives the index is asked for."""
        limit: int = self.params["limit"]
        return max(int(limit * OF_PHOTOS), min(int(limit * self.wide), MOST_FETCHED))

    @property
    def videos(self) -> bool:
        return self.frames > 1

    def held(self) -> int:
        """How many candidates have a vector, counted up to `limit`: more cannot be found."""
        ((found,),) = read_rows(compile_held(self.space, self.candidates), self.params, self.within_ms)
        return int(found)

    def look_wider(self) -> bool:
        """Whether there is a wider look than the one before."""
        before = self.fetch
        self.wide *= WIDER
        return self.fetch > before

    def run(self, shape: str, threshold: int = 0) -> Found:
        """Without a row it is called hnsw: what is not counted may be more than HNSW found."""
        sql = compile_statement(self.space, self.candidates, shape, videos=self.videos)
        rescored = max(LEAST_RESCORED, int(FRAMES_RESCORED / self.frames))
        asked = {**self.params, "fetch": self.fetch, "threshold": threshold, "rescored": rescored}
        rows = read_rows(sql, asked, self.within_ms, self.ef, SCAN_TUPLES)
        plan = rows[0][3] if rows else ("exact" if shape == "exact" else "hnsw")
        return Found([Neighbour(*row[:3]) for row in rows], plan)

    def estimated_share(self, rows: float) -> float:
        """The share of the space's assets (`rows`) that are candidates, as the planner thinks: how widely to look."""
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {self.candidates}", self.filters)
            (plans,) = cursor.fetchone() or ([],)
        read = orjson.loads(plans) if isinstance(plans, str) else plans
        return min(1.0, read[0]["Plan"]["Plan Rows"] / max(rows, 1)) if read else 1.0

    def remembered_way(self) -> Way | None:
        """Counting 20,000 rows takes as long as finding the nearest. What was counted a moment ago still
        tells the better way, and no more than that: whichever it is, no row is lost."""
        try:
            found: str | None = cache.get(self._name())
        except (RedisError, OSError):
            return None
        if not found:
            return None
        plan, share, wide, rows = found.split(" ")
        return Way(plan, float(share), float(wide), int(rows))

    def remember_way(self, way: Way) -> None:
        try:
            cache.set(self._name(), f"{way.plan} {way.share:.4f} {way.wide:.2f} {way.rows}", REMEMBER_SECONDS)
        except (RedisError, OSError):
            return

    def _name(self) -> str:
        about = repr((self.space.pk, self.candidates, sorted(self.filters.items())))
        return f"way-found:{hashlib.sha256(about.encode()).hexdigest()}"

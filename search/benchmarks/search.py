"""`manage.py benchmark search`: every layer of a search, beside the bare statement that it ends in."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from django.conf import settings
from django.core.cache import cache
from rest_framework.throttling import ScopedRateThrottle

from archive.measuring import Report, Row, milliseconds, percentile, time_row
from archive.spaces import index_state, partition
from archive.vectors import Vector, as_text
from search.benchmarks.synthetic import SHARES, Lie, Synthetic, make_archive, name_query, name_tag
from search.benchmarks.web import Browser, web
from search.candidates import find_candidates
from search.engine import depth_of, search
from search.neighbours import effort, find_neighbours
from search.query import Query
from workers.client import Encoded, remember_text

# What a search may take beyond its bare statement, over HTTP: permission, ranking, rows, HTML.
ALLOWANCE_MS = 15.0
TOP = 50


def measure(*, quick: bool = False, rows: int = 0, runs: int = 0) -> Report:
    runs = runs or (5 if quick else 40)
    rows = rows or (1000 if quick else 100_000)
    _say(f"making {rows} rows")
    made = make_archive(rows, runs)
    for lie, vectors in made.queries.items():
        for number, vector in enumerate(vectors):
            remember_text(made.space, name_query(lie, number), Encoded(vector))
    found: list[Row] = []
    with web(made.visitor) as browser, Bare(made) as bare:
        for lie in Lie:
            for share in (1.0, *SHARES) if lie is Lie.ANYWHERE else SHARES:
                name = f"{share:.2%}".replace(".00%", "%") + ("" if share == 1 else f" {lie}")
                tag = "" if share == 1 else name_tag(lie, share)
                rows_here = Layers(made, bare, browser, lie, tag).rows(runs, name)
                _say(name + ": " + "; ".join(f"{row.name.partition(',')[0]} {row.value:g}" for row in rows_here))
                found += rows_here
    return Report("search", found)


class Bare:
    """One prepared statement on a connection of its own: no permission, no filter, no Django."""

    def __init__(self, made: Synthetic) -> None:
        self.connection = psycopg.connect(settings.DATABASE_URL, autocommit=True)
        self.connection.execute(f"SET hnsw.ef_search = {effort(index_state(made.space).rows, Query.limit)}")
        self.sql = (
            f"SELECT asset_id, vector <#> %s::halfvec AS distance "  # noqa: S608
            f"FROM {partition(made.space)} WHERE representative ORDER BY distance LIMIT {Query.limit}"
        )

    def __enter__(self) -> Bare:
        return self

    def __exit__(self, *args: object) -> None:
        self.connection.close()

    def run(self, vector: Vector) -> float:
        text = as_text(vector)
        return milliseconds(lambda: self.connection.execute(self.sql, [text], prepare=True).fetchall())


@dataclass
class Layers:
    """The same queries through each layer, by turns, within one tag ("": in all)."""

    made: Synthetic
    bare: Bare
    browser: Browser
    lie: Lie
    tag: str

    def rows(self, runs: int, share: str) -> list[Row]:
        layers: list[Callable[[int], float]] = [self._bare, self._neighbours, self._exact]
        names = ["find_neighbours", "exact answer"]
        if self.lie is Lie.ANYWHERE:  # where the rows lie changes the statement alone, not what is around it
            layers += [self._engine, self._json, self._page]
            names += ["engine.search", "HTTP JSON", "HTTP page"]
        cache.delete(ScopedRateThrottle.cache_format % {"scope": "search", "ident": self.made.visitor.pk})
        for layer in layers:  # connections, prepared statements, templates
            layer(0)
        # One query through all layers, then the next: what disturbs the machine disturbs all of them.
        bare, *others = zip(*[[layer(number) for layer in layers] for number in range(runs)], strict=True)
        rows = [
            time_row(f"{name}, {share}", "ms", list(zip(times, _limits(name, bare), strict=True)))
            for name, times in zip(names, others, strict=True)
        ]
        rows += [
            time_row(f"{name} p99, {share}", "ms", [(percentile(times, 0.99), percentile(_limits(name, bare), 0.99))])
            for name, times in zip(names, others, strict=True)
            if name != "exact answer"
        ]
        return [*rows, *self._found_and_lost(runs, share)]

    def _found_and_lost(self, runs: int, share: str) -> list[Row]:
        """Recall against the exact answer, and how many rows came where so many were asked for."""
        recalls, shares = [], []
        for number in range(runs):
            right, found = self._found(number, exact=True), self._found(number)
            recalls.append(len(set(right[:TOP]) & set(found[:TOP])) / len(right[:TOP]))
            shares.append(len(found) / len(right))
        recall, complete = round(statistics.mean(recalls), 4), round(min(shares), 4)
        return [
            Row(f"recall@{TOP}, {share}", recall, "share", 1.0, recall, runs),
            Row(f"rows got, {share}", complete, "share", 1.0, complete, runs),
        ]

    def _bare(self, number: int) -> float:
        return self.bare.run(self.made.queries[self.lie][number])

    def _neighbours(self, number: int) -> float:
        return milliseconds(lambda: self._found(number))

    def _exact(self, number: int) -> float:
        return milliseconds(lambda: self._found(number, exact=True))

    def _engine(self, number: int) -> float:
        query = Query(text=name_query(self.lie, number), tags=self.tag)
        return milliseconds(lambda: search(query, self.made.visitor))

    def _json(self, number: int) -> float:
        return milliseconds(lambda: self._get("/api/v1/search", number))

    def _page(self, number: int) -> float:
        return milliseconds(lambda: self._get("/", number))

    def _get(self, path: str, number: int) -> bytes:
        return self.browser.get(path, q=name_query(self.lie, number), tag=self.tag)

    def _found(self, number: int, *, exact: bool = False) -> list[int]:
        candidates = find_candidates(Query(tags=self.tag), self.made.visitor)
        vector = self.made.queries[self.lie][number]
        found = find_neighbours(self.made.space, vector, candidates, depth_of(Query()), exact=exact)
        return [neighbour.asset_id for neighbour in found.neighbours]


def _limits(name: str, bare: tuple[float, ...]) -> list[float]:
    return [time + ALLOWANCE_MS for time in bare] if name.startswith("HTTP") else list(bare)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201  progress of a command

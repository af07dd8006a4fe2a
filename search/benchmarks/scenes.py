"""`manage.py benchmark scenes`: made films go through everything as files, and a search is to open each scene of them.

What a search finds stands beside what comparing every frame with every question finds, by the same vectors and without
any of the archive: so what the index, the line of relevance, the shots and the ranking cost is seen, and not what the
model does not know.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np

from archive.measuring import Report, Row, rate_row
from archive.models import Asset, Frame, Kind
from archive.spaces import build_index
from archive.vectors import read_vectors
from search.engine import search
from search.query import Mode, Query
from workers.benchmarks.scenes import Asked, Cinema, take_in_films

WITHIN = 1.0  # second
Opened = tuple[int, float]  # an asset, and the second at which it opens


def measure(*, quick: bool = False, rows: int = 0) -> Report:
    cinema = take_in_films(rows or 3, before=0) if quick else take_in_films(rows or 80)
    build_index(cinema.space)
    films, frames = Asset.objects.filter(kind=Kind.VIDEO).count(), Frame.objects.count()
    print(f"{films} films, {frames} frames", file=sys.stderr, flush=True)  # noqa: T201
    return Report("scenes", [row for kind in cinema.asked for row in _rows(cinema, kind)])


def _rows(cinema: Cinema, kind: str) -> list[Row]:
    asked = cinema.asked[kind]
    found = [_searched(cinema, one) for one in asked]
    bare = _compared(cinema, asked)
    return [
        rate_row(f"{len(asked)} {kind}: {what}", "R@1", [(_share(found, asked, near), _share(bare, asked, near))])
        for what, near in (("the right film first", np.inf), ("and within a second of its scene", WITHIN))
    ]


def _searched(cinema: Cinema, one: Asked) -> Opened:
    hits = search(Query(text=one.text, limit=1, mode=Mode.EVERYTHING), cinema.owner).hits
    return (hits[0].asset.pk, hits[0].at) if hits else (0, 0.0)


def _compared(cinema: Cinema, asked: Sequence[Asked]) -> list[Opened]:
    """The closest of all frames decides."""
    rows = read_vectors(cinema.space, list(Asset.objects.values_list("pk", flat=True)))
    seconds = dict(Frame.objects.values_list("pk", "at"))
    best = (np.stack([one.vector for one in asked]) @ rows.vectors.T).argmax(axis=1)
    return [(rows.assets[n], seconds[rows.frames[n]]) for n in best]


def _share(opened: Sequence[Opened], asked: Sequence[Asked], near: float) -> float:
    """Of the questions of which a right film is the first, and opens so near to a scene that is asked for."""
    right = [
        any(abs(at - start) <= near for start in one.right.get(film, ()))
        for (film, at), one in zip(opened, asked, strict=True)
    ]
    return max(sum(right) / len(right), 1e-6)

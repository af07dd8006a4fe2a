"""What an alert looks for, made ready to be compared: vectors, and the line where relevance ends.

The same parts as of a search (search.judging), so that an alert finds what the search page would say matches well.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from archive.models import Space
from archive.vectors import Vector, as_text
from search.background import KEEP_SECONDS, Background, find_background
from search.engine import Stopwatch, depth_of, rank
from search.query import Mode, Query
from search.ranking import Ranked
from search.relevance import Line, draw_line
from search.sight import sight_of
from search.terms import Terms, encode_terms

if TYPE_CHECKING:
    from archive.models.collections import Person

NO_LINE = Line()
NO_BACKGROUND = Background(np.zeros(0, dtype=np.float32))
MOST_KEPT = 5000  # of 5 kB each

_kept: dict[str, tuple[float, Asked]] = {}


@dataclass(frozen=True)
class Asked:
    """One question of one person in one space. `wanted` (768,) is missing where only filters decide.

    `terms` are kept of a sequence only, of which `wanted` is the first. `unwanted`: vectors, each with how close
    pictures at large are to it, and how many times it is counted.
    """

    query: Query
    user: Person
    sight: str
    space: Space
    wanted: Vector | None = None
    unwanted: tuple[tuple[Vector, Background, float], ...] = ()
    background: Background = NO_BACKGROUND
    line: Line = NO_LINE
    words_only: bool = False
    terms: Terms | None = None

    @property
    def words(self) -> str:
        """What may be said by what is written about a picture: beside a picture, words say what it looks like."""
        return "" if self.query.picture or self.query.like or self.query.sequence else self.query.text

    def reaches(self, best: float) -> bool:
        """Whether anything in the archive matches well: where not even the best hit does, nothing does."""
        if best >= self.line.best:
            return True
        return self.finds_any()  # one more search, and only where something new lies between the two lines

    def finds_any(self) -> bool:
        """Whether the search finds anything that matches well."""
        return any(hit.well for hit in self._ranked(depth_of(self.query.but(limit=1))))

    def beside_best(self, close: Mapping[int, float]) -> set[int]:
        """Of assets above the line, by their closeness: those that the best hit in the archive does not leave far
        behind. One more search, remembered as long as the question is, and only where something new lies above the
        line."""
        if not (close and self.words_only and self.background.known):
            return set(close)
        line = self.line.beside(max(self._best, *close.values()), self.background)
        return {asset for asset, closeness in close.items() if closeness >= line.well}

    @cached_property
    def _best(self) -> float:
        return max((hit.closeness for hit in self._ranked(depth_of(self.query))), default=0.0)

    def _ranked(self, depth: int) -> list[Ranked]:
        return rank(self.query, self.space, self.user, self.sight, depth, Stopwatch()).hits


def ask(query: Query, user: Person, mode: Mode, space: Space, sight: str = "") -> Asked:
    """Raises `BadQuery` and `NotAnswered`, as a search does. `sight`: of `user`, where it is known already."""
    query, sight = query.but(mode=mode), sight or sight_of(user)
    if not query.asks:
        return Asked(query, user, sight, space)
    terms = encode_terms(query, space, user)
    background = find_background(space, user, sight, terms.wanted)
    unwanted = tuple(
        (as_stored(one.vector), find_background(space, user, sight, one.vector), one.weight) for one in terms.unwanted
    )
    line = draw_line(space, background, mode, words_only=terms.words_only)
    kept = terms if query.sequence else None
    wanted = as_stored(terms.wanted)
    return Asked(query, user, sight, space, wanted, unwanted, background, line, terms.words_only, kept)


def ask_again(query: Query, user: Person, mode: Mode, space: Space, sight: str) -> Asked:
    """As `ask`, remembered for minutes: the sample that lines are drawn with is as old as that, too.

    Not where a picture is asked for: whether it may still be seen is looked at every time.
    """
    if query.like or query.unlike or query.picture:
        return ask(query, user, mode, space, sight)
    key = repr((user.pk, sight, space.pk, space.fingerprint, space.calibration, mode, sorted(query.params().items())))
    kept = _kept.get(key)
    if kept is not None and kept[0] > time.monotonic():
        return kept[1]
    asked = ask(query, user, mode, space, sight)
    _kept[key] = (time.monotonic() + KEEP_SECONDS, asked)
    while len(_kept) > MOST_KEPT:
        del _kept[next(iter(_kept))]
    return asked


def as_stored(vector: Vector) -> Vector:
    """As Postgres reads it: half floats. A border is a border only where both sides round alike."""
    written = [float(number) for number in as_text(vector)[1:-1].split(",")]
    return np.asarray(written, dtype=np.float16).astype(np.float32)

"""One question in two spaces: what each finds, and what they find both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from archive.models import Space
from archive.spaces import Coverage, coverage
from search.engine import search
from search.failures import NotAnswered, NotForYou
from search.hits import Answer, Hit
from search.query import BadQuery, Query
from search.spaces import live_spaces, may_choose_space

if TYPE_CHECKING:
    from archive.models.collections import Person

SHOWN = 24


@dataclass(frozen=True)
class Seen:
    """A hit, and where the other space has it (None: not among its first)."""

    hit: Hit
    there: int | None


@dataclass(frozen=True)
class Side:
    """`trouble`: why this space could not answer, as a sentence."""

    space: Space
    answer: Answer
    trouble: str = ""

    @cached_property
    def ranks(self) -> dict[int, int]:
        return {hit.asset.pk: hit.rank for hit in self.answer.hits}

    @property
    def covered(self) -> Coverage:
        return coverage(self.space)

    def beside(self, other: Side) -> list[Seen]:
        return [Seen(hit, other.ranks.get(hit.asset.pk)) for hit in self.answer.hits]


@dataclass(frozen=True)
class Comparison:
    left: Side
    right: Side

    @property
    def columns(self) -> list[tuple[Side, list[Seen]]]:
        return [(self.left, self.left.beside(self.right)), (self.right, self.right.beside(self.left))]

    @property
    def shared(self) -> int:
        return len(self.left.ranks.keys() & self.right.ranks.keys())

    @property
    def most(self) -> int:
        """Of how many at most it could be."""
        return min(len(self.left.ranks), len(self.right.ranks))


def compare(query: Query, left: str, right: str, user: Person) -> Comparison:
    """Raises `BadQuery` where a name is none of a live space, `NotForYou` for all but curators."""
    if not may_choose_space(user):
        raise NotForYou
    live = {space.slug: space for space in live_spaces()}
    for name, slug in (("space", left), ("against", right)):
        if slug not in live:
            raise BadQuery({name: f"No space is named {slug!r} that could be searched. There are: {', '.join(live)}."})
    return Comparison(*(_side(query, live[slug], user) for slug in (left, right)))


def _side(query: Query, space: Space, user: Person) -> Side:
    try:
        return Side(space, search(query.but(space=space.slug, limit=SHOWN), user))
    except NotAnswered as error:
        return Side(space, Answer(), str(error))

"""A query's ranking, kept for a while: later pages are cut from it and neither repeat nor lose a hit."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import orjson
from django.core.cache import cache
from redis.exceptions import RedisError

from archive.models import Space
from search.query import Query

if TYPE_CHECKING:
    from archive.models.collections import Person

KEEP_SECONDS = 600


class Ranked(NamedTuple):
    """An asset in a ranking. `well`: above the line where relevance ends; `said`: it says the words itself."""

    asset_id: int
    frame_id: int
    closeness: float
    well: bool = True
    said: bool = False
    share: float = 0.0  # of pictures at large that are less close, in [0, 1]


@dataclass(frozen=True)
class Ranking:
    """`whole`: nothing comes behind it. `cut`: the words were more than the model reads. `all_well`: nothing that it
    lacks matches well."""

    hits: list[Ranked]
    plan: str = ""
    whole: bool = False
    cut: bool = False
    all_well: bool = True

    @property
    def well(self) -> int:
        return sum(hit.well for hit in self.hits)

    def up_to(self, end: int) -> Ranking:
        """What may stay as it is once hits up to `end` are shown: of all that is not whole, a deeper look finds what
        belongs before the rest."""
        return self if self.whole else replace(self, hits=self.hits[:end])


def name_ranking(query: Query, space: Space, user: Person, sight: str) -> str:
    """The same for all pages of one question, of one person, with one set of permissions, in one space."""
    asked = sorted(query.but(limit=Query.limit).params().items())
    return hashlib.sha256(orjson.dumps([user.pk, sight, space.slug, asked])).hexdigest()[:32]


def keep_ranking(name: str, ranking: Ranking, cursor: str = "") -> str:
    """Keep a list and return its cursor. Each first page begins a list of its own, called after what it showed, so
    that another look at the same question, in another window or of another length, leaves it as it is."""
    rows = [list(hit) for hit in ranking.hits]
    packed = orjson.dumps([ranking.plan, ranking.whole, ranking.cut, ranking.all_well, rows])
    cursor = cursor or f"{name}.{hashlib.sha256(packed).hexdigest()[:12]}"
    try:
        cache.set_many({f"ranked:{cursor}": packed, f"ranking:{name}": cursor}, KEEP_SECONDS)
    except (RedisError, OSError):
        return cursor
    return cursor


def find_cursor(name: str) -> str:
    """Of the list that was begun last for this question; empty when there is none."""
    try:
        found: str | None = cache.get(f"ranking:{name}")
    except (RedisError, OSError):
        return ""
    return found or ""


def find_ranking(cursor: str) -> Ranking | None:
    """None when it is too old. Its hits are checked for permission again before they are shown."""
    try:
        packed = cache.get(f"ranked:{cursor}") if "." in cursor else None
    except (RedisError, OSError):
        return None
    if packed is None:
        return None
    plan, whole, cut, all_well, rows = orjson.loads(packed)
    return Ranking([Ranked(*row) for row in rows], plan, whole, cut, all_well)


def continued(shown: Ranking, deeper: Ranking) -> Ranking:
    """What was shown stays as it was; what a deeper look finds beside it comes after."""
    known = {hit.asset_id for hit in shown.hits}
    rest = [hit for hit in deeper.hits if hit.asset_id not in known]
    return replace(deeper, hits=[*shown.hits, *rest])

"""A query's ranking, kept for a while: later pages are cut from it and neither repeat nor lose a hit."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
from django.core.cache import cache
from redis.exceptions import RedisError

from archive.models import Space
from search.neighbours import Found, Neighbour
from search.query import Query

if TYPE_CHECKING:
    from archive.models.collections import Person

KEEP_SECONDS = 600


@dataclass(frozen=True)
class Kept:
    found: Found
    space: str  # the slug of the one it was ranked in


def keep_ranking(query: Query, space: Space, user: Person, found: Found) -> None:
    """The first page writes it anew each time, so that new uploads show."""
    rows = [[n.asset_id, n.frame_id, n.distance] for n in found.neighbours]
    try:
        cache.set(_name(query, user), orjson.dumps([space.slug, found.plan, rows]), KEEP_SECONDS)
    except (RedisError, OSError):
        return


def find_ranking(query: Query, user: Person) -> Kept | None:
    """None when it is too old. Hits are checked for permission later."""
    try:
        packed = cache.get(_name(query, user))
    except (RedisError, OSError):
        return None
    if packed is None:
        return None
    space, plan, rows = orjson.loads(packed)
    return Kept(Found([Neighbour(*row) for row in rows], plan), space)


def continued(shown: Found, deeper: Found) -> Found:
    """What was shown stays as it was; what a deeper look finds beside it comes after."""
    known = {neighbour.asset_id for neighbour in shown.neighbours}
    rest = [neighbour for neighbour in deeper.neighbours if neighbour.asset_id not in known]
    return Found([*shown.neighbours, *rest], deeper.plan)


def _name(query: Query, user: Person) -> str:
    asked = sorted(query.but(limit=Query.limit).params().items())
    digest = hashlib.sha256(orjson.dumps([user.pk, asked])).hexdigest()
    return f"ranking:{digest}"

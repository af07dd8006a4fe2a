"""Inside one video: how close each of its seconds comes to what is asked, and its moments, the closest first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from archive.models import Asset, Space
from search.background import find_background
from search.hits import Moment
from search.judging import Judge
from search.moments import closeness_by_second
from search.pages import with_stills
from search.query import BadQuery, Query
from search.sight import sight_of
from search.spaces import asked_again, choose_space
from search.terms import encode_terms, find_seed

if TYPE_CHECKING:
    import uuid

    from archive.models.collections import Person


@dataclass(frozen=True)
class Inside:
    """`seconds`: each frame's second and closeness, to the first term of a sequence. `usual`: the closeness of
    pictures at large, None for too few to say."""

    asset: Asset
    space: Space
    query: Query
    seconds: list[tuple[float, float]] = field(default_factory=list)
    moments: tuple[Moment, ...] = ()
    usual: float | None = None


def look_inside(query: Query, asset: uuid.UUID, user: Person) -> Inside:
    """Raises what `search` raises: `UnknownAsset` where `user` may not see it, `BadQuery` without a term."""
    found = find_seed(asset, user)
    if not query.asks:
        raise BadQuery({"q": "Say what to look for in this video."})
    return asked_again(lambda: _look(query.but(within=asset), found, user))


def _look(query: Query, asset: Asset, user: Person) -> Inside:
    space, sight = choose_space(query, user), sight_of(user)
    terms = encode_terms(query, space, user)
    usual = find_background(space, user, sight, terms.wanted)
    judge = Judge(query, terms, space, user, sight)
    return Inside(
        asset=asset,
        space=space,
        query=query,
        seconds=closeness_by_second(judge.aim, asset.pk),
        moments=with_stills(judge.moments([asset.pk], query.limit), {asset.pk: asset}).get(asset.pk, ()),
        usual=usual.mean if usual.known else None,
    )

"""What somebody acts on: all that a query finds, or pictures that were picked one by one.

Workers know nothing of queries. So a query becomes assets here, when it is confirmed, and a batch keeps those.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, F, Func, IntegerField, QuerySet, Value

from archive.models import Asset, Collection, Kind
from search.candidates import find_candidates
from search.engine import find_relevant_ids
from search.negation import join_list, split_list
from search.query import BadQuery, Query

if TYPE_CHECKING:
    from archive.models.collections import Person

MOST_PICKED = 1000
KINDS = {Kind.PHOTO: "photos", Kind.VIDEO: "videos"}
SAID = {
    *("q", "like", "picture", "without", "kind", "collection", "from", "to", "limit", "offset", "cursor", "exact"),
    *("tag", "alltags", "notags", "name", "by", "mode", "order", "balance", "literal", "box"),
    *("then", "also", "seconds", "within", "at", "pictureweight", "likeweight", "unlikeweight"),
}


@dataclass(frozen=True)
class Choice:
    """`assets` in the order of the page, as far as one may see them; `what` says it in words.

    `ranked`: they are the nearest ones, and only an order says where they stop being right.
    """

    assets: QuerySet[Asset]
    what: str
    query: Query = field(default_factory=Query)
    picked: tuple[str, ...] = ()

    @property
    def ranked(self) -> bool:
        return self.query.asks

    @property
    def params(self) -> dict[str, str]:
        return self.query.params()


def choose_all(query: Query, user: Person) -> Choice:
    """All that a query finds. Raises what `search` raises."""
    query = query.but(limit=Query.limit)
    if query.asks:
        # The filters stand in it as well: between ranking and acting a tag may go.
        assets = in_order(find_relevant_ids(query, user), find_candidates(query, user))
    else:
        assets = find_candidates(query, user, ready=False).order_by("-added_at", "-id")
    return Choice(assets, describe(query, user), query)


def choose_picked(written: Iterable[str], user: Person) -> Choice:
    """Single pictures, by their ids. What is unknown or hidden is not among them. Raises `BadQuery`."""
    ids = list(dict.fromkeys(_uuids(written)))
    if len(ids) > MOST_PICKED:
        raise BadQuery({"assets": f"At most {MOST_PICKED} pictures can be picked one by one. Search for them instead."})
    assets = Asset.objects.visible_to(user).filter(uuid__in=ids).order_by("-added_at", "-id")
    count = len(assets.values_list("pk"))
    return Choice(assets, f"{count} chosen picture{'' if count == 1 else 's'}", picked=tuple(str(one) for one in ids))


def in_order(ids: list[int], among: QuerySet[Asset]) -> QuerySet[Asset]:
    place = Func(
        Value(ids, output_field=ArrayField(BigIntegerField())),
        F("pk"),
        function="array_position",
        output_field=IntegerField(),
    )
    return among.filter(pk__in=ids).order_by(place)


def describe(query: Query, user: Person) -> str:
    """A query in words, for people who look at it later."""
    parts = [f"“{query.text}”"] if query.text else []
    if query.like:
        liked = Asset.objects.visible_to(user).filter(uuid=query.like).first()
        parts.append(f"like {liked}" if liked else "like a picture")
        if query.at is not None:
            parts.append(f"at {query.at:g} s")
    if query.within:
        held = Asset.objects.visible_to(user).filter(uuid=query.within).first()
        parts.append(f"within {held}" if held else "within one video")
    if query.picture:
        parts.append("like a reference picture")
    if query.then:
        parts += [f"then “{words}”" for words in split_list(query.then)]
    if query.also:
        parts += [f"with “{words}” in the same video" for words in split_list(query.also)]
    if query.without:
        parts.append(f"without “{join_list(query.unwanted)}”")
    if query.kind:
        parts.append(KINDS.get(Kind(query.kind), query.kind))
    if query.collection:
        place = Collection.objects.visible_to(user).filter(slug=query.collection).first()
        parts.append(f"in {place or query.collection}")
    if query.date_from:
        parts.append(f"since {query.date_from}")
    if query.date_to:
        parts.append(f"until {query.date_to}")
    parts += [f"{words} “{value}”" for words, value in _named(query) if value]
    parts += [f"{name} {value}" for name, value in _others(query.params())]
    sentence = ", ".join(parts) or "everything"
    return sentence[:1].upper() + sentence[1:]


def _named(query: Query) -> list[tuple[str, str]]:
    return [
        ("tagged", query.tags),
        ("tagged all of", query.all_tags),
        ("not tagged", query.no_tags),
        ("file name with", query.name),
        ("added by", query.uploader),
    ]


def _others(params: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in params.items() if name not in SAID]


def _uuids(written: Iterable[str]) -> Iterable[uuid.UUID]:
    for raw in written:
        try:
            yield uuid.UUID(raw)
        except ValueError:
            raise BadQuery({"assets": f"“{raw[:40]}” is not the id of an asset."}) from None

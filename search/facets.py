"""Facets: what the relevant set is made of, counted over what the person may see and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from django.db.models import Count, QuerySet
from django.db.models.functions import Coalesce, ExtractYear

from archive.models import Asset, Tag
from search.candidates import find_candidates
from search.engine import find_relevant_ids
from search.query import Query

if TYPE_CHECKING:
    from archive.models.collections import Person

MOST = 12


@dataclass(frozen=True)
class Value:
    """`changes`: what to ask as well, to see only these."""

    label: str
    count: int
    changes: dict[str, object]


@dataclass(frozen=True)
class Facets:
    """`total`: the relevant set. Past the depth of a ranking it is "at least"."""

    total: int
    collections: list[Value]
    kinds: list[Value]
    years: list[Value]
    tags: list[Value]


def count_facets(query: Query, user: Person) -> Facets:
    """Of what matches well (of everything ranked, where everything is wanted); without terms of all candidates."""
    relevant = find_relevant(query, user)
    return Facets(
        total=relevant.count(),
        collections=[
            Value(name, count, {"collection": slug})
            for slug, name, count in _counted(relevant, "collection__slug", "collection__name")
        ],
        kinds=[Value(kind, count, {"kind": kind}) for kind, count in _counted(relevant, "kind")],
        years=_years(relevant),
        tags=_tags(relevant),
    )


def find_relevant(query: Query, user: Person) -> QuerySet[Asset]:
    """The relevant set, as a queryset of what is visible now."""
    if not query.asks:
        return find_candidates(query, user, ready=False)
    return Asset.objects.visible_to(user).filter(pk__in=find_relevant_ids(query, user))


def _counted(relevant: QuerySet[Asset], *fields: str) -> list[tuple[Any, ...]]:
    rows = relevant.order_by().values_list(*fields).annotate(number=Count("pk")).order_by("-number", *fields)
    return list(rows[:MOST])


def _years(relevant: QuerySet[Asset]) -> list[Value]:
    dated = relevant.annotate(year=ExtractYear(Coalesce("taken_at", "added_at")))
    rows = dated.order_by().values_list("year").annotate(number=Count("pk")).order_by("-year")[:MOST]
    return [
        Value(str(year), count, {"date_from": date(year, 1, 1), "date_to": date(year, 12, 31)})
        for year, count in rows
        if 1000 <= year <= 9000
    ]


def _tags(relevant: QuerySet[Asset]) -> list[Value]:
    accepted = Tag.objects.accepted().filter(asset__in=relevant.order_by().values("pk"))
    rows = accepted.values_list("concept__name").annotate(number=Count("pk")).order_by("-number", "concept__name")
    return [Value(name, count, {"tags": name}) for name, count in rows[:MOST]]

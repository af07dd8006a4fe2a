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
from search.negation import join_list, split_list
from search.neighbours import WITHIN_MS, limited_to
from search.query import MAX_DEPTH, Query

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
    """`total`: the relevant set; `capped`: as far as it was ranked, and there may be more."""

    total: int
    capped: bool
    collections: list[Value]
    kinds: list[Value]
    years: list[Value]
    tags: list[Value]


def count_facets(query: Query, user: Person) -> Facets:
    """Of what matches well (of everything ranked, where everything is wanted); without terms of all candidates.
    Raises `TooSlow` where a count is, as finding neighbours does."""
    relevant = find_relevant(query, user)
    with limited_to(WITHIN_MS):
        return _count(query, relevant)


def _count(query: Query, relevant: QuerySet[Asset]) -> Facets:
    total = relevant.count()
    return Facets(
        total=total,
        capped=query.asks and total >= MAX_DEPTH,
        collections=[
            Value(name, count, {"collection": slug})
            for slug, name, count in _counted(relevant, "collection__slug", "collection__name")
        ],
        kinds=[Value(kind, count, {"kind": kind}) for kind, count in _counted(relevant, "kind")],
        years=_years(relevant, query),
        tags=_tags(relevant, query),
    )


def find_relevant(query: Query, user: Person) -> QuerySet[Asset]:
    """The relevant set, as a queryset of what is visible now."""
    if not query.asks:
        return find_candidates(query, user, ready=False)
    return find_candidates(query, user).filter(pk__in=find_relevant_ids(query, user))


def _counted(relevant: QuerySet[Asset], *fields: str) -> list[tuple[Any, ...]]:
    rows = relevant.order_by().values_list(*fields).annotate(number=Count("pk")).order_by("-number", *fields)
    return list(rows[:MOST])


def _years(relevant: QuerySet[Asset], query: Query) -> list[Value]:
    dated = relevant.annotate(year=ExtractYear(Coalesce("taken_at", "added_at")))
    rows = dated.order_by().values_list("year").annotate(number=Count("pk")).order_by("-year")[:MOST]
    return [
        Value(str(year), count, _within(query, date(year, 1, 1), date(year, 12, 31)))
        for year, count in rows
        if 1000 <= year <= 9000
    ]


def _within(query: Query, first: date, last: date) -> dict[str, object]:
    """Those days, as far as they are asked for already."""
    return {"date_from": max(first, query.date_from or first), "date_to": min(last, query.date_to or last)}


def _tags(relevant: QuerySet[Asset], query: Query) -> list[Value]:
    accepted = Tag.objects.accepted().filter(asset__in=relevant.order_by().values("pk"))
    rows = accepted.values_list("concept__name").annotate(number=Count("pk")).order_by("-number", "concept__name")
    return [Value(name, count, {"all_tags": _with(query.all_tags, name)}) for name, count in rows[:MOST]]


def _with(names: str, name: str) -> str:
    """That one as well."""
    return join_list(tuple(dict.fromkeys((*split_list(names), name))))

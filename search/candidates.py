"""Candidates: what a person may see, within the filters. Always a queryset, so that it lives inside the SQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING

from django.db.models import BigIntegerField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet
from django.db.models.functions import Cast, Coalesce
from django.db.models.lookups import GreaterThanOrEqual, LessThan
from django.utils.timezone import make_aware

from archive.models import Asset, Kind, Status, Tag
from archive.models.concepts import fold
from search.negation import split_list
from search.neighbours import SOMEBODY, Chosen, compile_candidates
from search.phrases import must_say, read_phrases
from search.query import Query, Shape

if TYPE_CHECKING:
    from archive.models.collections import Person

SHAPES = {
    Shape.LANDSCAPE: Q(width__gt=F("height")),
    Shape.PORTRAIT: Q(width__lt=F("height")),
    Shape.SQUARE: Q(width=F("height")),
}
# The first minutes of a long video are found while the rest is being worked on, and where the rest could not be read:
# what is known of it is complete.
BEGUN = Q(kind=Kind.VIDEO, status__in=(Status.PENDING, Status.FAILED), duration__isnull=False)
PLACED = Q(latitude__isnull=False) | ~Q(place="")
MEGAPIXEL = 1_000_000
PIXELS = ExpressionWrapper(Cast("width", BigIntegerField()) * F("height"), output_field=BigIntegerField())


# What a query may say and still be answered from everything that a person may see; `text` with nothing in quotes.
NARROWS_NOTHING = ("text", "without", "literal", "mode", "order", "offset", "limit", "cursor", "space", "exact")


def find_candidates(query: Query, user: Person, *, ready: bool = True) -> QuerySet[Asset]:
    """Assets that may be found: permitted, ready, within the filters, saying what stands in quotes."""
    found: QuerySet[Asset] = Asset.objects.visible_to(user)
    if ready:
        found = found.filter(Q(status=Status.READY) | BEGUN)
        seeds = [one for one in (query.like, query.unlike) if one and one != query.within]
        if query.asks and seeds:
            found = found.exclude(uuid__in=seeds)
    if query.within:
        found = found.filter(uuid=query.within)
    if query.sequence:
        found = found.filter(kind=Kind.VIDEO)
    for phrase in read_phrases(query.text):
        found = must_say(found, phrase)
    return _dated(_tagged(_plain(found, query), query), query)


def choose(query: Query, user: Person) -> Chosen:
    """`find_candidates` as SQL. What only says what to look for leaves it the same for all persons but for their
    number: written down once, which takes longer than all else that comes before the neighbours are found."""
    asked = replace(query, **{name: getattr(Query, name) for name in NARROWS_NOTHING})
    if asked != Query() or read_phrases(query.text) or not user.is_authenticated or user.is_superuser:
        return compile_candidates(find_candidates(query, user))
    return _unfiltered().of(user)


@cache
def _unfiltered() -> Chosen:
    return compile_candidates(find_candidates(Query(), SOMEBODY))


def _plain(found: QuerySet[Asset], query: Query) -> QuerySet[Asset]:
    """The filters by the asset's own columns."""
    conditions = []
    if query.collection:
        conditions.append(Q(collection__slug=query.collection))
    if query.kind:
        conditions.append(Q(kind=query.kind))
    if query.shape:
        conditions.append(SHAPES[Shape(query.shape)])
    if query.larger or query.smaller:
        found = found.alias(pixels=PIXELS)
    if query.larger:
        conditions.append(Q(pixels__gte=query.larger * MEGAPIXEL))
    if query.smaller:
        conditions.append(Q(pixels__lte=query.smaller * MEGAPIXEL))
    if query.uploader:
        conditions.append(Q(uploader__username=query.uploader))
    if query.placed:
        conditions.append(PLACED if query.placed == "yes" else ~PLACED)
    if query.longer:
        conditions.append(Q(duration__gte=query.longer))
    if query.shorter:
        conditions.append(Q(duration__lte=query.shorter))
    if query.name:
        conditions.append(Q(filename__ilike=query.name))
    return found.filter(*conditions)


def _tagged(found: QuerySet[Asset], query: Query) -> QuerySet[Asset]:
    """Only accepted tags count."""
    if query.tags:
        found = found.filter(_has_tag(*split_list(query.tags)))
    for name in split_list(query.all_tags):
        found = found.filter(_has_tag(name))
    if query.no_tags:
        found = found.filter(~_has_tag(*split_list(query.no_tags)))
    return found


def _has_tag(*names: str) -> Exists:
    accepted = Tag.objects.accepted().filter(concept__folded__in=[fold(name) for name in names])
    return Exists(accepted.filter(asset=OuterRef("pk")))


def _dated(found: QuerySet[Asset], query: Query) -> QuerySet[Asset]:
    """When a picture was taken or, unknown, added."""
    when = Coalesce("taken_at", "added_at")
    if query.date_from:
        found = found.filter(GreaterThanOrEqual(when, _start_of(query.date_from)))
    if query.date_to:
        found = found.filter(LessThan(when, _start_of(query.date_to + timedelta(days=1))))
    return found


def _start_of(day: date) -> datetime:
    return make_aware(datetime.combine(day, time.min))

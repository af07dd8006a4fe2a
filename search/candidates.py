"""Candidates: what a person may see, within the filters. Always a queryset, so that it lives inside the SQL."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThanOrEqual, LessThan
from django.utils.timezone import make_aware

from archive.models import Asset, Status
from search.query import Query

if TYPE_CHECKING:
    from archive.models.collections import Person


def find_candidates(query: Query, user: Person, *, ready: bool = True) -> QuerySet[Asset]:
    """Assets that may be found. A date filter means when a picture was taken or, unknown, added."""
    found: QuerySet[Asset] = Asset.objects.visible_to(user)
    if ready:
        found = found.filter(status=Status.READY)
    if query.collection:
        found = found.filter(collection__slug=query.collection)
    if query.kind:
        found = found.filter(kind=query.kind)
    if query.like and query.asks and ready:
        found = found.exclude(uuid=query.like)
    when = Coalesce("taken_at", "added_at")
    if query.date_from:
        found = found.filter(GreaterThanOrEqual(when, _start_of(query.date_from)))
    if query.date_to:
        found = found.filter(LessThan(when, _start_of(query.date_to + timedelta(days=1))))
    return found


def _start_of(day: date) -> datetime:
    return make_aware(datetime.combine(day, time.min))

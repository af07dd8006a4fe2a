"""Browsing: without terms there is nothing to rank by, so the newest come first, page after page without end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import F, Q, QuerySet
from django.db.models.expressions import OrderBy

from archive.models import Asset
from search.candidates import find_candidates
from search.failures import StaleCursor
from search.hits import SHOWN, Answer, Hit
from search.query import Order, Query

if TYPE_CHECKING:
    from archive.models.collections import Person

START = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def browse(query: Query, user: Person) -> Answer:
    """The newest by when they were added, or in another order. Numbers and times come with the page."""
    found = find_candidates(query, user, ready=False).only(*SHOWN)
    by_added = query.order in (Order.CLOSEST, Order.ADDED)
    if not by_added:
        ordered = found.order_by(ordering(query.order), "-id")[query.offset :]
    elif query.cursor:
        ordered = _after(found, query.cursor).order_by("-added_at", "-id")
    else:
        ordered = found.order_by("-added_at", "-id")[query.offset :]
    rows = list(ordered[: query.limit + 1])
    page = rows[: query.limit]
    hits = tuple(Hit(asset, 0.0, query.offset + i) for i, asset in enumerate(page, start=1))
    cursor = _cursor(page[-1]) if page and by_added else ""
    return Answer(hits, "newest", "", query.limit, len(hits), more=len(rows) > query.limit, cursor=cursor)


def ordering(order: Order) -> OrderBy:
    """What is not known comes last."""
    if order is Order.SHORTEST:
        return F("duration").asc(nulls_last=True)
    name = {Order.TAKEN: "taken_at", Order.LONGEST: "duration"}.get(order, "added_at")
    return F(name).desc(nulls_last=True)


def _cursor(last: Asset) -> str:
    """Where a page ended. New uploads come before it, so that nothing shifts."""
    return f"{(last.added_at - START) // MICROSECOND}.{last.pk}"


def _after(found: QuerySet[Asset], cursor: str) -> QuerySet[Asset]:
    moment, _, pk = cursor.partition(".")
    if not (moment.isascii() and moment.isdigit() and len(moment) < 18 and pk.isascii() and pk.isdigit()):
        raise StaleCursor
    added = START + int(moment) * MICROSECOND
    return found.filter(Q(added_at__lt=added) | Q(added_at=added, pk__lt=min(int(pk), 2**62)))

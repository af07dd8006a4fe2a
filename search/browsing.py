"""Browsing: without terms there is nothing to rank by, so the newest come first, page after page without end.

A page goes on behind the last asset of the one before, wherever that stands by now: what is uploaded or trashed in
between shifts nothing.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import F, Q
from django.db.models.expressions import OrderBy

from archive.models import Asset
from search.candidates import find_candidates
from search.failures import StaleCursor
from search.hits import SHOWN, Answer, Hit
from search.neighbours import WITHIN_MS, limited_to
from search.query import Order, Query

if TYPE_CHECKING:
    from archive.models.collections import Person

START = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
UNKNOWN = "-"
CURSOR = re.compile(r"(?P<order>[a-z]+)\.(?P<value>-|-?[0-9][0-9.e+-]{0,24})\.(?P<pk>[0-9]{1,18})", re.ASCII)


@dataclass(frozen=True)
class Sorting:
    """A column that assets are sorted by; of equals the newest comes first, and what is not known last."""

    column: str
    rising: bool = False

    @property
    def by(self) -> OrderBy:
        column = F(self.column)
        return column.asc(nulls_last=True) if self.rising else column.desc(nulls_last=True)

    @property
    def may_be_unknown(self) -> bool:
        return bool(Asset._meta.get_field(self.column).null)

    def behind(self, value: Any, pk: int) -> Q:
        """What comes after an asset with this `value` (None: it is not known)."""
        if value is None:
            return Q(**{f"{self.column}__isnull": True}, pk__lt=pk)
        further = "gt" if self.rising else "lt"
        # Both bounds: the first one alone lets an index begin where the page does.
        known = Q(**{f"{self.column}__{further}e": value}) & (Q(**{f"{self.column}__{further}": value}) | Q(pk__lt=pk))
        return known | Q(**{f"{self.column}__isnull": True}) if self.may_be_unknown else known


SORTINGS = {
    Order.ADDED: Sorting("added_at"),
    Order.TAKEN: Sorting("taken_at"),
    Order.LONGEST: Sorting("duration"),
    Order.SHORTEST: Sorting("duration", rising=True),
}


def browse(query: Query, user: Person) -> Answer:
    """The newest by when they were added, or in another order. Numbers and times come with the page. Raises
    `StaleCursor`, and `TooSlow` as finding neighbours does."""
    order = Order.ADDED if query.order is Order.CLOSEST else query.order
    found = find_candidates(query, user, ready=False).only(*SHOWN).order_by(ordering(order), "-id")
    if query.cursor:
        found = found.filter(SORTINGS[order].behind(*_read_cursor(order, query.cursor)))
    else:
        found = found[query.offset :]
    with limited_to(WITHIN_MS):
        rows = list(found[: query.limit + 1])
    page = rows[: query.limit]
    hits = tuple(Hit(asset, 0.0, query.offset + i) for i, asset in enumerate(page, start=1))
    cursor = _cursor(order, page[-1]) if page else ""
    return Answer(hits, "newest", "", query.limit, len(hits), more=len(rows) > query.limit, cursor=cursor)


def ordering(order: Order) -> OrderBy:
    """What is not known comes last."""
    return SORTINGS.get(order, SORTINGS[Order.ADDED]).by


def _cursor(order: Order, last: Asset) -> str:
    """Where a page ended: its order, the value there, exactly, and the asset."""
    value = getattr(last, SORTINGS[order].column)
    if isinstance(value, datetime):
        value = (value - START) // MICROSECOND
    return f"{order.value}.{UNKNOWN if value is None else repr(value)}.{last.pk}"


def _read_cursor(order: Order, cursor: str) -> tuple[Any, int]:
    """Raises `StaleCursor` for one of another order, too."""
    read = CURSOR.fullmatch(cursor)
    if read is None or read["order"] != order.value:
        raise StaleCursor
    try:
        return _read_value(order, read["value"]), int(read["pk"])
    except (ValueError, OverflowError) as error:
        raise StaleCursor from error


def _read_value(order: Order, raw: str) -> Any:
    if raw == UNKNOWN and SORTINGS[order].may_be_unknown:
        return None
    if order in (Order.ADDED, Order.TAKEN):
        return START + int(raw) * MICROSECOND
    value = float(raw)
    if not math.isfinite(value):
        raise ValueError(raw)
    return value

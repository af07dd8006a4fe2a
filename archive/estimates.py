"""Counting long lists without reading them."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.db.models import Model, QuerySet

if TYPE_CHECKING:
    AnyPaginator = Paginator[Any]
else:
    AnyPaginator = Paginator

# Up to here an exact count takes a few milliseconds.
COUNT_UP_TO = 20_000


def estimated_count(rows: QuerySet[Model], up_to: int = 0) -> tuple[int, bool]:
    """How many `rows` there are, and whether that is only what Postgres' planner believes.

    A short list, of `up_to` or COUNT_UP_TO, is counted. Of a long one no more than its beginning is read: the
    planner multiplies the size of the table by the share that the condition keeps (statistics of the last
    ANALYZE). Asked about a short list it would tell who sees little of a large archive how large that is.
    """
    most = up_to or COUNT_UP_TO
    counted = rows.order_by()[: most + 1].count()
    if counted <= most:
        return counted, False
    (plan,) = json.loads(rows.order_by().explain(format="json"))
    return max(counted, plan["Plan"]["Plan Rows"]), True


class EstimatingPaginator(AnyPaginator):
    """Pages of a list whose length need not be known to the last row."""

    @cached_property
    def _counted(self) -> tuple[int, bool]:
        assert isinstance(self.object_list, QuerySet)
        return estimated_count(self.object_list)

    @property
    def count(self) -> int:
        return self._counted[0]

    @property
    def estimated(self) -> bool:
        return self._counted[1]

"""Candidates as SQL: written down once for all the statements of a search that they stand in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet

from archive.models import Asset


@dataclass(frozen=True)
class Chosen:
    """`sql` selects their ids, with parameters by name; it is empty where Django knows that nothing can pass."""

    sql: str = ""
    params: dict[str, Any] = field(default_factory=dict)


Candidates = QuerySet[Asset] | Chosen


def compile_candidates(candidates: Candidates) -> Chosen:
    if isinstance(candidates, Chosen):
        return candidates
    try:
        inner, values = candidates.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return Chosen()
    numbers = count()
    inner = re.sub(r"%s", lambda _: f"%(c{next(numbers)})s", inner)
    return Chosen(inner, {f"c{i}": value for i, value in enumerate(values)})

"""Candidates as SQL: written down once for all the statements that they stand in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet

from archive.models import Asset

# Of whom a rule is written down that is to hold for others: nobody has this number.
SOMEBODY = User(pk=-1)


@dataclass(frozen=True)
class Chosen:
    """`sql` selects their ids, with parameters by name; it is empty where Django knows that nothing can pass."""

    sql: str = ""
    params: dict[str, Any] = field(default_factory=dict)

    def of(self, user: User) -> Chosen:
        """What was written down of SOMEBODY, for `user`, who is no superuser either."""
        values = {name: user.pk if value == SOMEBODY.pk else value for name, value in self.params.items()}
        return Chosen(self.sql, values)


Candidates = QuerySet[Asset] | Chosen


def compile_candidates(candidates: QuerySet[Any] | Chosen) -> Chosen:
    if isinstance(candidates, Chosen):
        return candidates
    try:
        inner, values = candidates.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return Chosen()
    numbers = count()
    inner = re.sub(r"%s", lambda _: f"%(c{next(numbers)})s", inner)
    return Chosen(inner, {f"c{i}": value for i, value in enumerate(values)})

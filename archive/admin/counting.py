"""How many there are of something, beside each row that is shown: an index is read, as far as anybody wants to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.db import connection
from django.http import HttpRequest

MOST = 10_000


@dataclass(frozen=True)
class Counted:
    """`name` is what a row gets; the rows of `table` whose `column` is its key and for which `condition` holds."""

    name: str
    table: str
    column: str
    condition: str = "true"

    def counts(self, keys: list[int]) -> dict[int, int]:
        rows = f"SELECT FROM {self.table} t WHERE t.{self.column} = k.id AND {self.condition} LIMIT {MOST + 1}"
        statement = f"SELECT k.id, (SELECT count(*) FROM ({rows}) AS few) FROM unnest(%s::bigint[]) AS k(id)"  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(statement, [keys])
            return dict(cursor.fetchall())


class CountedList(ChangeList):
    """Of a model admin with `counted`. Counts stand in no statement with an order: that would count every row before
    it left out those of other pages."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list: list[Any] = list(self.result_list)
        admin: Any = self.model_admin
        for one in admin.counted:
            found = one.counts([row.pk for row in self.result_list])
            for row in self.result_list:
                setattr(row, one.name, found[row.pk])


def as_count(number: int) -> str:
    return f"{MOST:,}+" if number > MOST else f"{number:,}"

"""Long lists by the page: the next one begins where this one ended, so that the last is as quick as the first."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import DateTimeField, Model, Q, QuerySet
from django.http import HttpRequest

AFTER, BEFORE = "after", "before"
END = "end"  # before it lies the last page
LARGEST = 2**63


class KeysetChangeList(ChangeList):
    """Of a model admin whose `keyset` names the fields of its order, all descending and the last one unique.

    Its order and no other is paged so; what is found by meaning has an order of its own, a few pages, and numbers.
    """

    keyset: tuple[str, ...] = ()
    places: dict[str, str]
    newer = older = ""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """What says where a page begins is no filter: links to another filter begin at the first page."""
        self.places = {name: self.params.pop(name, "") for name in (AFTER, BEFORE)}
        for name in (AFTER, BEFORE):
            self.filter_params.pop(name, None)
        admin: Any = self.model_admin
        self.keyset = admin.keyset
        found: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        return found

    @property
    def by_keyset(self) -> bool:
        order = [str(part).replace("pk", "id") for part in self.queryset.query.order_by]
        return order == [f"-{name}" for name in self.keyset]

    def get_results(self, request: HttpRequest) -> None:
        if not self.by_keyset:
            super().get_results(request)
            return
        self.paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        self.result_count = self.paginator.count
        self.show_full_result_count, self.full_result_count = False, None
        self.show_admin_actions = True
        self.can_show_all, self.multi_page = False, self.result_count > self.list_per_page
        self.page_num = 1
        self.result_list = self._page()

    def _page(self) -> list[Any]:
        backwards = bool(self.places[BEFORE])
        bound = self._bound(self.places[BEFORE] or self.places[AFTER], newer=backwards)
        rows = self.queryset.filter(bound)
        rows = rows.reverse() if backwards else rows
        # Their keys first: who may see what is then decided without the rows' whole width.
        keys = list(rows.values_list("pk", flat=True)[: self.list_per_page + 1])
        more = len(keys) > self.list_per_page
        page = list(self.queryset.filter(pk__in=keys[: self.list_per_page])) if keys else []
        if page and (more if backwards else self.places[AFTER]):
            self.newer = self.get_query_string({BEFORE: self._place(page[0])})
        if page and (self.places[BEFORE] != END if backwards else more):
            self.older = self.get_query_string({AFTER: self._place(page[-1])})
        return page

    @property
    def newest(self) -> str:
        return self.get_query_string()

    @property
    def oldest(self) -> str:
        return self.get_query_string({BEFORE: END})

    def _place(self, row: Model) -> str:
        values = (getattr(row, name) for name in self.keyset)
        return "_".join(value.isoformat() if isinstance(value, datetime) else str(value) for value in values)

    def _bound(self, place: str, *, newer: bool) -> Q:
        """The rows on one side of a place. Raises `IncorrectLookupParameters`."""
        if not place or place == END:
            return Q()
        written = place.split("_")
        if len(written) != len(self.keyset):
            raise IncorrectLookupParameters
        values = [self._read(name, text) for name, text in zip(self.keyset, written, strict=True)]
        side = "gt" if newer else "lt"
        bound = Q()
        for name, value in reversed(list(zip(self.keyset, values, strict=True))):
            # The first half lets an index begin in the right place; the second is exact.
            bound = (
                Q(**{f"{name}__{side}e": value}) & (Q(**{f"{name}__{side}": value}) | bound)
                if bound
                else Q(**{f"{name}__{side}": value})
            )
        return bound

    def _read(self, name: str, text: str) -> datetime | int:
        try:
            if isinstance(self.lookup_opts.get_field(name), DateTimeField):
                moment = datetime.fromisoformat(text)
                if moment.tzinfo is None:
                    raise IncorrectLookupParameters
                return moment
            number = int(text)
        except ValueError as error:
            raise IncorrectLookupParameters from error
        if abs(number) >= LARGEST:
            raise IncorrectLookupParameters
        return number

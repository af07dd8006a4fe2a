"""How a contact sheet is narrowed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from archive.models import Asset, Collection


class CollectionFilter(admin.SimpleListFilter):
    """By the collections that one may see; the address carries the slug."""

    title = "collection"
    parameter_name = "collection"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(Collection.objects.visible_to(request.user).values_list("slug", "name"))

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Asset]) -> QuerySet[Asset]:
        return queryset.filter(collection__slug=self.value()) if self.value() else queryset


class TrashFilter(admin.SimpleListFilter):
    """Without a choice: what is not in the trash."""

    title = "trash"
    parameter_name = "trash"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("only", "In the trash"), ("also", "Trash and all")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": "Not in the trash"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Asset]) -> QuerySet[Asset]:
        if self.value() == "also":
            return queryset
        return queryset.filter(trashed_at__isnull=self.value() != "only")

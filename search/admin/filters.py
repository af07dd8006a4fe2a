"""How a contact sheet is narrowed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest

from archive.admin.keyset import AFTER, BEFORE
from archive.models import Asset, Collection, Concept, Tag, TagState
from archive.models.concepts import fold
from archive.tags import seen_tags

PAGES = ("p", AFTER, BEFORE, "e")


class NameFilter(admin.SimpleListFilter):
    """By a name, which is typed and completed: there may be thousands. The first ones can be clicked."""

    template = "admin/filter_by_name.html"
    FIRST = 12

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        kept = [(name, value) for name, values in request.GET.lists() for value in values]
        self.others = [(name, value) for name, value in kept if name not in (self.parameter_name, *PAGES)]

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: Any) -> Iterator[Any]:
        found = list(super().choices(changelist))
        if self.value() and not any(choice["selected"] for choice in found):
            found.append({"selected": True, "query_string": "?", "display": str(self.value())})
        yield from found


class CollectionFilter(NameFilter):
    """By the collections that one may see; the address carries the slug, or the name as it was typed."""

    title = "collection"
    parameter_name = "collection"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(Collection.objects.visible_to(request.user).values_list("slug", "name")[: self.FIRST])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Asset]) -> QuerySet[Asset]:
        if not self.value():
            return queryset
        seen = Collection.objects.visible_to(request.user)
        named = seen.filter(Q(slug=self.value()) | Q(name__iexact=self.value()))
        return queryset.filter(collection__in=list(named.values_list("pk", flat=True)))


class TagFilter(NameFilter):
    """By a tag that somebody or something put on."""

    title = "tag"
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in seen_tags(request.user).values_list("name", flat=True)[: self.FIRST]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Asset]) -> QuerySet[Asset]:
        if not self.value():
            return queryset
        concept = Concept.objects.filter(folded=fold(str(self.value()))).first()
        carrying = Tag.objects.accepted().filter(asset=OuterRef("pk"), concept=concept)
        return queryset.filter(Exists(carrying)) if concept else queryset.none()


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


class ProposedFilter(admin.SimpleListFilter):
    """What a model proposes and nobody has judged."""

    title = "proposed tags"
    parameter_name = "proposed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "With proposed tags")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Asset]) -> QuerySet[Asset]:
        if self.value() != "yes":
            return queryset
        return queryset.filter(pk__in=Tag.objects.filter(state=TagState.PROPOSED).order_by().values("asset"))

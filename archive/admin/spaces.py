"""Spaces: which model reads the archive, how far another one is, and the switch between them."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html

from archive.access import Shows
from archive.admin.space_actions import SpaceActions
from archive.admin.space_cells import COUNTING, NAMES, cell, cells, figures, gain
from archive.admin.space_setups import SpaceSetups
from archive.models import Space, SpaceState
from archive.spaces import find_previous

MODEL = ("model", "pretrained", "parent", "numbers", "context_length", "logit_scale", "logit_bias")


class SpaceAdmin(SpaceActions, SpaceSetups):
    shows = Shows.SELF
    list_display = ("slug", "state_badge", "covered", "index", "size", "measured", "made_of")
    list_select_related = ("parent",)
    list_per_page = 20
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("slug", "state_badge", "covered", "index", "size", "knows", "created_at", "activated_at")}),
        ("Measured", {"fields": ("figures", "gains")}),
        ("Model", {"fields": MODEL}),
        ("Identity", {"fields": ("fingerprint", "what_it_covers"), "classes": ("collapse",)}),
    )
    note = "All of it in one command:"
    note_command = "manage.py space switch MODEL"

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("progress/", self.admin_site.admin_view(self.progress_view), name="archive_space_progress"),
            path("rollback/", self.admin_site.admin_view(self.rollback_view), name="archive_space_rollback"),
        ]
        return [*own, *self.setup_urls(), *super().get_urls()]

    def progress_view(self, request: HttpRequest) -> HttpResponse:
        """The cells that move, each with its id: htmx puts them where they belong, and choices stay."""
        moving = cells(list(self.get_queryset(request)), self._shown(request, NAMES))
        return HttpResponse(moving + self.shown_setup(request, oob=True))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        switches = self.has_switch_permission(request)
        context: dict[str, Any] = {"previous": find_previous() if switches else None, "switches": switches}
        context["setup"] = self.shown_setup(request)
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return self._shown(request, super().get_list_display(request))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        sets = super().get_fieldsets(request, obj)
        return [(title, {**about, "fields": self._shown(request, about["fields"])}) for title, about in sets]

    def _shown(self, request: HttpRequest, names: Any) -> list[Any]:
        return [name for name in names if name not in COUNTING or request.user.is_superuser]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Space]:
        first = Case(When(state=SpaceState.ACTIVE, then=Value(0)), default=Value(1), output_field=IntegerField())
        return super().get_queryset(request).alias(first=first).order_by("first", "-created_at")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    def has_view_permission(self, request: HttpRequest, obj: Space | None = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Space | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Space | None = None) -> bool:
        return False

    @admin.display(description="state")
    def state_badge(self, space: Space) -> str:
        return cell(space, "state_badge")

    @admin.display(description="covers")
    def covered(self, space: Space) -> str:
        return cell(space, "covered")

    @admin.display(description="index")
    def index(self, space: Space) -> str:
        return cell(space, "index")

    @admin.display(description="size")
    def size(self, space: Space) -> str:
        return cell(space, "size")

    @admin.display(description="measured")
    def measured(self, space: Space) -> str:
        return cell(space, "measured")

    @admin.display(description="figures")
    def figures(self, space: Space) -> str:
        return figures(space)

    @admin.display(description="model")
    def made_of(self, space: Space) -> str:
        """The model, what it is adapted from, and what it is good for."""
        name = f"adapted from {space.parent}" if space.parent else space.model
        if not space.knows:
            return name
        return format_html('{}<span class="moving">{}</span>', name, space.knows)

    @admin.display(description="gain")
    def gains(self, space: Space) -> str:
        return gain(space)

    @admin.display(description="numbers")
    def numbers(self, space: Space) -> int:
        return space.dimensions

    @admin.display(description="what the fingerprint covers")
    def what_it_covers(self, space: Space) -> str:
        return format_html("<pre>{}</pre>", json.dumps(space.identity, indent=2, ensure_ascii=False))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("state_badge", "covered", "index", "size", "figures", "gains", "numbers", "what_it_covers")

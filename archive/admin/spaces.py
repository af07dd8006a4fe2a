"""Spaces: which model reads the archive, how far another one is, and the switch between them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import HttpRequest
from django.utils.html import format_html

from archive.access import Shows
from archive.models import Space, SpaceState
from archive.spaces import SpaceNotReady, activate, backfill, coverage, index_state

if TYPE_CHECKING:
    SpaceModelAdmin = admin.ModelAdmin[Space]
else:
    SpaceModelAdmin = admin.ModelAdmin


def for_asker(fields: Iterable[Any], request: HttpRequest) -> list[Any]:
    """How many assets a space covers counts everybody's: only who sees all of them is told."""
    return [field for field in fields if field != "covered" or request.user.is_superuser]


class SpaceAdmin(SpaceModelAdmin):
    shows = Shows.SELF
    list_display = ("slug", "state_badge", "covered", "index", "model", "numbers", "knows")
    list_per_page = 20
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    sortable_by = ()
    actions = ("backfill", "activate")
    fieldsets = (
        (None, {"fields": ("slug", "state_badge", "covered", "index", "knows", "created_at", "activated_at")}),
        ("Model", {"fields": ("model", "pretrained", "numbers", "context_length", "logit_scale", "logit_bias")}),
        ("Identity", {"fields": ("fingerprint", "what_it_covers"), "classes": ("collapse",)}),
    )
    note = "A new model is set up on the command line, where its weights are checked:"
    note_command = "manage.py space create NAME --model MODEL --weights WEIGHTS"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Space]:
        first = Case(When(state=SpaceState.ACTIVE, then=Value(0)), default=Value(1), output_field=IntegerField())
        return super().get_queryset(request).alias(first=first).order_by("first", "-created_at")

    def get_list_display(self, request: HttpRequest) -> Any:
        return for_asker(super().get_list_display(request), request)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        sets = super().get_fieldsets(request, obj)
        return [(title, {**options, "fields": for_asker(options["fields"], request)}) for title, options in sets]

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

    def has_switch_permission(self, request: HttpRequest) -> bool:
        """What everybody searches is decided by whoever runs the archive."""
        return bool(request.user.is_superuser)

    @admin.action(description="Encode what is missing", permissions=["switch"])
    def backfill(self, request: HttpRequest, queryset: QuerySet[Space]) -> None:
        for space in queryset:
            added = backfill(space)
            self.message_user(request, f"{space.slug}: {added:,} {'asset' if added == 1 else 'assets'} to encode.")

    @admin.action(description="Search this one", permissions=["switch"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Space]) -> None:
        chosen = list(queryset[:2])
        if len(chosen) != 1:
            self.message_user(request, "One space is searched at a time: choose one.", messages.WARNING)
            return
        try:
            activate(chosen[0])
        except SpaceNotReady as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.message_user(request, f"{chosen[0].slug} is searched from the next query on.")

    @admin.display(description="state")
    def state_badge(self, space: Space) -> str:
        return format_html('<span class="badge {}">{}</span>', space.state, space.get_state_display())

    @admin.display(description="covers")
    def covered(self, space: Space) -> str:
        share = coverage(space)
        return format_html(
            '<span class="covered"><progress value="{}" max="{}" aria-label="{} of {} assets"></progress>'
            "<span>{} of {}</span></span>",
            share.done if share.total else 1,
            share.total or 1,
            share.done,
            share.total,
            f"{share.done:,}",
            f"{share.total:,}",
        )

    @admin.display(description="index")
    def index(self, space: Space) -> str:
        return "HNSW" if index_state(space).valid else "none yet: exact"

    @admin.display(description="numbers")
    def numbers(self, space: Space) -> int:
        return space.dimensions

    @admin.display(description="what the fingerprint covers")
    def what_it_covers(self, space: Space) -> str:
        return format_html("<pre>{}</pre>", json.dumps(space.identity, indent=2, ensure_ascii=False))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("state_badge", "covered", "index", "numbers", "what_it_covers")

"""The Work page: what waits, what runs, what was set aside and why."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.html import format_html

from archive.access import Shows, person
from archive.admin.audit import log_many
from archive.admin.keyset import KeysetChangeList
from archive.admin.numbers import curated_work, numbers_of_work, since
from archive.estimates import EstimatingPaginator
from archive.models import Asset, Space, Work, WorkState
from archive.work import retry, skip

if TYPE_CHECKING:
    WorkModelAdmin = admin.ModelAdmin[Work]
else:
    WorkModelAdmin = admin.ModelAdmin

MOST_NAMED = 2000
OPEN = (WorkState.READY, WorkState.RUNNING, WorkState.QUARANTINED)


class StateFilter(admin.SimpleListFilter):
    """Without a choice: what is not done yet, for the rest is history."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*((str(state), str(state.label)) for state in WorkState), ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        not_done, *others = super().choices(changelist)
        return [{**not_done, "display": "Not done"}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Work]) -> QuerySet[Work]:
        chosen = self.value()
        if chosen == "all":
            return queryset
        return queryset.filter(state=chosen) if chosen else queryset.filter(state__in=OPEN)


class WorkAdmin(WorkModelAdmin):
    shows = Shows.VISIBLE
    list_display = ("picture", "step", "target", "state_badge", "age", "tries", "died", "why", "holder")
    list_display_links = ("step",)
    list_filter = (StateFilter, "step")
    list_select_related = ("asset",)
    list_per_page = 50
    keyset = ("id",)
    search_fields = ("asset__filename",)  # shows the box; get_search_results does the finding
    search_help_text = "By file name or id, space, worker, or the error of what is set aside."
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()
    ordering = ("-id",)
    actions = ("try_again", "skip")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return KeysetChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Work]:
        return curated_work(request.user).defer("asset__exif", "asset__notes", "asset__caption", "asset__keywords")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Work], search_term: str
    ) -> tuple[QuerySet[Work], bool]:
        """Each part is answered by an index: errors are looked through where they stand, in what is set aside."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if Space.objects.filter(slug=term).exists():
            return queryset.filter(target=term), False
        wanted = _uuid(term)
        assets = Asset.objects.filter(uuid=wanted) if wanted else Asset.objects.filter(filename__ilike=term)
        named = list(assets.order_by().values_list("pk", flat=True)[:MOST_NAMED])
        parts = (
            Work.objects.filter(asset__in=named),
            Work.objects.filter(state=WorkState.QUARANTINED, last_error__icontains=term),
            Work.objects.filter(state=WorkState.RUNNING, worker__startswith=term),
        )
        found = [pk for part in parts for pk in part.order_by().values_list("pk", flat=True)[: 3 * MOST_NAMED]]
        return queryset.filter(pk__in=found), False

    def get_paginator(self, request: HttpRequest, queryset: Any, per_page: int, *rest: Any, **more: Any) -> Any:
        return EstimatingPaginator(queryset, per_page, *rest, **more)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {"numbers": numbers_of_work(request.user), **(extra_context or {})}
        return super().changelist_view(request, context)

    # Work is made and ended by the archive; people free it or give it up.
    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    def has_view_permission(self, request: HttpRequest, obj: Work | None = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Work | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Work | None = None) -> bool:
        return False

    @admin.action(description="Try again")
    def try_again(self, request: HttpRequest, queryset: QuerySet[Work]) -> None:
        chosen = queryset.count()
        freed = retry(_bare(queryset))
        sentence = _said(freed, "waits again", "wait again", chosen, "waits or runs anyway")
        log_many(person(request), Work, sentence)
        self.message_user(request, sentence)

    @admin.action(description="Skip")
    def skip(self, request: HttpRequest, queryset: QuerySet[Work]) -> None:
        chosen = queryset.count()
        given_up = skip(_bare(queryset))
        sentence = _said(given_up, "was skipped", "were skipped", chosen, "runs or is over")
        log_many(person(request), Work, sentence)
        self.message_user(request, sentence)

    @admin.display(description="asset")
    def picture(self, work: Work) -> str:
        return render_to_string("admin/archive/work/_picture.html", {"asset": work.asset})

    @admin.display(description="state")
    def state_badge(self, work: Work) -> str:
        return format_html('<span class="badge {}">{}</span>', work.state, work.get_state_display())

    @admin.display(description="age")
    def age(self, work: Work) -> str:
        return format_html('<span title="{}">{}</span>', work.created_at, since(work.created_at))

    @admin.display(description="tries")
    def tries(self, work: Work) -> int:
        return work.attempts

    @admin.display(description="crashes")
    def died(self, work: Work) -> int:
        return work.crashes

    @admin.display(description="last error", empty_value="")
    def why(self, work: Work) -> str:
        return format_html('<span class="why">{}</span>', work.last_error)

    @admin.display(description="worker", empty_value="")
    def holder(self, work: Work) -> str:
        return work.worker if work.state == WorkState.RUNNING else ""


def _uuid(term: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(term)
    except ValueError:
        return None


def _bare(chosen: QuerySet[Work]) -> QuerySet[Work]:
    """The same rows without the joins of the list: they are about to be locked."""
    return Work.objects.filter(pk__in=chosen.order_by().values("pk"))


def _said(done: int, one: str, many: str, chosen: int, why_not: str) -> str:
    sentence = f"{done:,} {'step' if done == 1 else 'steps'} {one if done == 1 else many}."
    left = chosen - done
    return f"{sentence} {left:,} left alone: {why_not}." if left else sentence

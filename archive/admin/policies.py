"""Policies: what must not be in the archive, tried before it is switched on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Count, ForeignKey, Q, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html

from archive.access import Shows, person
from archive.admin.policy_actions import PolicyActions
from archive.models import Check, Concept, ConceptKind, FlagState, Policy, PolicyLine, Space
from archive.moderation.checking import outlook
from archive.moderation.policies import NotSwitched, switch_on

if TYPE_CHECKING:
    LineTable = admin.TabularInline[PolicyLine, Policy]
else:
    LineTable = admin.TabularInline

# Scores of the table of a dry run: spreads above pictures at large.
TRIED = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0)


class LineInline(LineTable):
    model = PolicyLine
    fields = ("space", "review_at", "quarantine_at")
    extra = 1
    verbose_name_plural = "thresholds: without one, what the concept says is reviewed, and nothing is hidden at once"

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        if db_field.name == "space":
            kwargs["queryset"] = Space.objects.live()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class PolicyAdmin(PolicyActions):
    """For superusers, and whoever has Django's permissions for policies."""

    shows = Shows.VISIBLE
    list_display = ("concept", "switch", "where", "thresholds", "second_reviewer", "waiting", "tried", "checked")
    list_select_related = ("concept",)
    list_per_page = 50
    search_fields = ("concept__name",)
    search_help_text = "By concept."
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    sortable_by = ()
    fields = ("concept", "everywhere", "collections", "second_reviewer", "holds_new", "outlook")
    readonly_fields = ("outlook",)
    inlines = (LineInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Policy]:
        still_open = Count("concept__flags", filter=Q(concept__flags__state=FlagState.OPEN))
        policies = super().get_queryset(request).annotate(open_count=still_open)
        return policies.prefetch_related("collections", "lines__space")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Policy | None:
        """What one may not open is not there, whatever page of it is asked for."""
        return super().get_object(request, object_id, from_field) if self.has_view_permission(request) else None

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        if db_field.name == "concept":
            kwargs["queryset"] = Concept.objects.filter(kind=ConceptKind.PROHIBITED)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Without the small signs beside what is chosen."""
        form = super().get_form(request, obj, change, **kwargs)
        for name in ("concept", "collections"):
            if name in form.base_fields:
                widget: Any = form.base_fields[name].widget
                widget.can_add_related = widget.can_change_related = widget.can_view_related = False
                widget.can_delete_related = False
        return form

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """What is on holds from now on as it is now: the archive is looked at once more."""
        super().save_related(request, form, formsets, change)
        if form.instance.is_on and (form.has_changed() or any(one.has_changed() for one in formsets)):
            try:
                switch_on(form.instance, person(request))
            except NotSwitched as error:
                self.message_user(request, str(error), "error")

    def has_delete_permission(self, request: HttpRequest, obj: Policy | None = None) -> bool:
        """Not while it is on. Flags stay, and so does what they hide."""
        return super().has_delete_permission(request, obj) and obj is not None and not obj.is_on

    @admin.display(description="state")
    def switch(self, policy: Policy) -> str:
        state, label = ("ready", "On") if policy.is_on else ("cancelled", "Off")
        return format_html('<span class="badge {}">{}</span>', state, label)

    @admin.display(description="where")
    def where(self, policy: Policy) -> str:
        if policy.everywhere:
            return "everywhere"
        return ", ".join(str(one) for one in policy.collections.all()) or "nowhere"

    @admin.display(description="reviewed / hidden from")
    def thresholds(self, policy: Policy) -> str:
        return "; ".join(_told(line) for line in policy.lines.all()) or "as the concept says / –"

    @admin.display(description="open flags")
    def waiting(self, policy: Any) -> str:
        return f"{policy.open_count:,}"

    @admin.display(description="tried")
    def tried(self, policy: Policy) -> str:
        return _progress(_last(policy, dry=True), "would be flagged", "hidden at once")

    @admin.display(description="archive looked at")
    def checked(self, policy: Policy) -> str:
        return _progress(_last(policy, dry=False), "found", "hidden")

    @admin.display(description="what it would find")
    def outlook(self, policy: Policy) -> str:
        check = _last(policy, dry=True) if policy.pk else None
        rows = [(threshold, outlook(check, threshold)) for threshold in TRIED] if check else []
        return render_to_string("admin/archive/policy/_outlook.html", {"check": check, "rows": rows})


def _told(line: PolicyLine) -> str:
    hidden = "–" if line.quarantine_at is None else f"{line.quarantine_at:g}"
    return f"{line.space.slug}: {line.review_at:g} / {hidden}"


def _last(policy: Policy, *, dry: bool) -> Check | None:
    return policy.checks.filter(dry=dry).select_related("space", "head").order_by("-pk").first()


def _progress(check: Check | None, found: str, hidden: str) -> str:
    if check is None:
        return "–"
    result = f"{check.doubted:,} {found}, {check.hidden:,} {hidden}"
    match check.state:
        case "done":
            return result
        case "failed":
            return check.error
        case "stopped":
            return check.error or "stopped"
    share = 100 * check.seen // check.total if check.total else 0
    return f"{share} %: {result} so far"

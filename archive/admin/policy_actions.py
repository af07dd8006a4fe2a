"""What is done to policies from their list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from archive.access import person
from archive.models import Policy
from archive.moderation.policies import NotSwitched, start_check, switch_off, switch_on, withdraw

if TYPE_CHECKING:
    PolicyModelAdmin = admin.ModelAdmin[Policy]
else:
    PolicyModelAdmin = admin.ModelAdmin


class PolicyActions(PolicyModelAdmin):
    actions = ("count", "turn_on", "turn_off", "withdraw")

    @admin.action(description="Try: count what it would find", permissions=["change"])
    def count(self, request: HttpRequest, queryset: QuerySet[Policy]) -> None:
        for policy in _bare(queryset):
            try:
                start_check(policy, person(request), dry=True)
            except NotSwitched as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                self.message_user(request, f"{policy}: being counted, nothing is flagged. The figures appear here.")

    @admin.action(description="Switch on, and look at the whole archive", permissions=["change"])
    def turn_on(self, request: HttpRequest, queryset: QuerySet[Policy]) -> None:
        for policy in _bare(queryset):
            try:
                switch_on(policy, person(request))
            except NotSwitched as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                self.message_user(request, f"{policy} is on: for what comes now, and in a while for all that is here.")

    @admin.action(description="Switch off", permissions=["change"])
    def turn_off(self, request: HttpRequest, queryset: QuerySet[Policy]) -> None:
        for policy in _bare(queryset):
            switch_off(policy, person(request))
            self.message_user(request, f"{policy} is off. What it flagged stays until it is decided or withdrawn.")

    @admin.action(description="Withdraw its open flags …", permissions=["change"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Policy]) -> HttpResponse | None:
        """First asks why: what it had hidden is shown again at once."""
        reason = request.POST.get("reason", "").replace("\0", "").strip()[:500]
        policies = list(_bare(queryset))
        if not reason:
            return self._ask_why(request, policies)
        for policy in policies:
            count = withdraw(policy, person(request), reason)
            self.message_user(request, f"{policy}: {count:,} {'flag was' if count == 1 else 'flags were'} withdrawn.")
        return None

    def _ask_why(self, request: HttpRequest, policies: list[Policy]) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Withdraw open flags",
            "sentences": [
                f"The open flags of {', '.join(map(str, policies))} that nobody answered yet go away, and what they "
                "hid is shown again. Decided and escalated ones stay.",
                "A policy that is on can raise them again: switch it off or change its thresholds first.",
            ],
            "action": "withdraw",
            "label": "Withdraw them",
            "selected": [policy.pk for policy in policies],
            "checkbox": ACTION_CHECKBOX_NAME,
            "back": request.path,
        }
        return TemplateResponse(request, "admin/archive/policy/confirm.html", context)


def _bare(chosen: QuerySet[Policy]) -> QuerySet[Policy]:
    """Without the joins of the list."""
    return Policy.objects.filter(pk__in=chosen.order_by().values("pk")).select_related("concept")

"""What is done to a space from its page. What everybody would notice asks first; what takes long is a worker's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from archive import dispatch
from archive.access import person
from archive.admin.audit import log_many
from archive.models import Space, SpaceState
from archive.spaces import (
    SpaceInUse,
    SpaceNotReady,
    activate,
    backfill,
    coverage,
    find_previous,
    index_state,
    is_large,
    retire,
    rollback,
    stop_backfill,
)

if TYPE_CHECKING:
    SpaceModelAdmin = admin.ModelAdmin[Space]
else:
    SpaceModelAdmin = admin.ModelAdmin

# A request waits so long for uploads of this moment, which are in one space and a moment later in the other.
PATIENCE = 3.0


class SpaceActions(SpaceModelAdmin):
    actions = ("backfill", "stop", "build", "evaluate", "activate", "when_full", "retire")

    def has_switch_permission(self, request: HttpRequest) -> bool:
        """What everybody searches, and what fills the machines, is decided by whoever runs the archive."""
        return bool(request.user.is_superuser)

    @admin.action(description="Encode what is missing", permissions=["switch"])
    def backfill(self, request: HttpRequest, queryset: QuerySet[Space]) -> None:
        for space in self._live(request, queryset):
            added = backfill(space)
            self.message_user(request, f"{space.slug}: {added:,} {'asset' if added == 1 else 'assets'} to encode.")

    @admin.action(description="Stop encoding", permissions=["switch"])
    def stop(self, request: HttpRequest, queryset: QuerySet[Space]) -> None:
        for space in self._live(request, queryset):
            self.message_user(request, f"{space.slug}: {stop_backfill(space):,} wait no longer. What is done stays.")

    @admin.action(description="Build the index", permissions=["switch"])
    def build(self, request: HttpRequest, queryset: QuerySet[Space]) -> None:
        for space in self._live(request, queryset):
            if index_state(space).valid:
                self.message_user(request, f"{space.slug} has its index already.")
            elif not is_large(space):
                self.message_user(request, f"{space.slug} is so small that it is searched exactly, without an index.")
            else:
                self._ring(request, space, "index", "Its index is being built; searches go on.")

    @admin.action(description="Measure")
    def evaluate(self, request: HttpRequest, queryset: QuerySet[Space]) -> None:
        for space in self._live(request, queryset):
            self._ring(request, space, "evaluate", "It is being measured; the figures appear here.")

    @admin.action(description="Search this one …", permissions=["switch"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Space]) -> HttpResponse | None:
        space = self._one_live(request, queryset)
        if space is None:
            return None
        if "confirmed" not in request.POST:
            told = coverage(space)
            exceptions = [("partial", "although it does not cover everything")] if told.done < told.total else []
            if is_large(space) and not index_state(space).valid:
                exceptions.append(("unindexed", "although it has no index yet and every search is slow"))
            searched = Space.objects.active()
            sentences = [
                f"Everybody searches with {space.slug} from the next query on. "
                f"It covers {told.done:,} of {told.total:,} assets.",
                f"{searched.slug} stays as it is, and one click takes you back." if searched else "",
            ]
            title = f"Search with {space.slug}?"
            return self._ask(request, title, sentences, "activate", "Search this one", exceptions)
        try:
            activate(
                space,
                even_if_partial="partial" in request.POST,
                even_if_unindexed="unindexed" in request.POST,
                patience=PATIENCE,
            )
        except SpaceNotReady as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            sentence = f"{space.slug} is searched from the next query on."
            log_many(person(request), Space, sentence, about=space)
            self.message_user(request, sentence)
        return None

    @admin.action(description="Search when full", permissions=["switch"])
    def when_full(self, request: HttpRequest, queryset: QuerySet[Space]) -> None:
        space = self._one_live(request, queryset)
        if space is None:
            return
        if space.state == SpaceState.ACTIVE:
            self.message_user(request, f"{space.slug} is searched already.")
            return
        Space.objects.filter(pk=space.pk).update(takes_over=not space.takes_over)
        said = "waits until somebody switches." if space.takes_over else "is searched as soon as it is full."
        self.message_user(request, f"{space.slug} {said}")

    @admin.action(description="Retire …", permissions=["switch"])
    def retire(self, request: HttpRequest, queryset: QuerySet[Space]) -> HttpResponse | None:
        space = self._one_live(request, queryset)
        if space is None:
            return None
        if "confirmed" not in request.POST and space.state != SpaceState.ACTIVE:
            sentences = [
                f"The vectors of {space.slug} are dropped, and nothing is written to it any more. "
                "To have them again everything has to be encoded anew.",
                "There is no way back to it after that." if space == find_previous() else "",
            ]
            return self._ask(request, f"Retire {space.slug}?", sentences, "retire", "Drop its vectors")
        try:
            retire(space)
        except SpaceInUse as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            log_many(person(request), Space, f"{space.slug} is retired.", about=space)
            self.message_user(request, f"{space.slug} is retired.")
        return None

    def rollback_view(self, request: HttpRequest) -> HttpResponse:
        """Back to the space of before: a page that asks, then the switch."""
        back = reverse("admin:archive_space_changelist")
        space = find_previous()
        if not self.has_switch_permission(request) or space is None:
            self.message_user(request, "There is no space to go back to.", messages.WARNING)
            return HttpResponseRedirect(back)
        if request.method != "POST":
            sentence = f"Everybody searches with {space.slug} again, at once. Uploads since then are in it too."
            return self._ask(request, f"Go back to {space.slug}?", [sentence], "", "Go back")
        self.message_user(request, f"{rollback().slug} is searched again.")
        return HttpResponseRedirect(back)

    def _ask(
        self,
        request: HttpRequest,
        title: str,
        sentences: list[str],
        action: str,
        label: str,
        exceptions: list[tuple[str, str]] | None = None,
    ) -> HttpResponse:
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "media": self.media,
            "sentences": [sentence for sentence in sentences if sentence],
            "action": action,
            "label": label,
            "exceptions": exceptions or [],
            "checkbox": ACTION_CHECKBOX_NAME,
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "back": reverse("admin:archive_space_changelist"),
        }
        return TemplateResponse(request, "admin/archive/space/confirm.html", context)

    def _one_live(self, request: HttpRequest, queryset: QuerySet[Space]) -> Space | None:
        if len(queryset) != 1:
            self.message_user(request, "One space at a time: choose one.", messages.WARNING)
            return None
        return next(iter(self._live(request, queryset)), None)

    def _live(self, request: HttpRequest, queryset: QuerySet[Space]) -> list[Space]:
        chosen = list(queryset)
        for space in chosen:
            if space.state == SpaceState.RETIRED:
                self.message_user(request, f"{space.slug} is retired: its vectors are gone.", messages.WARNING)
        return [space for space in chosen if space.state != SpaceState.RETIRED]

    def _ring(self, request: HttpRequest, space: Space, verb: str, sentence: str) -> None:
        try:
            {"index": dispatch.index_space, "evaluate": dispatch.evaluate_space}[verb](space.slug)
        except dispatch.BrokerUnavailable:
            command = f"manage.py space {verb} {space.slug}"
            self.message_user(request, f"Redis does not answer. On the command line: {command}", messages.ERROR)
        else:
            self.message_user(request, f"{space.slug}: {sentence}")

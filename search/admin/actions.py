"""What curators do to many assets at once: shown first, done in the background, and taken back if it was wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from archive.access import person
from archive.batches import SetChanged, make_batch, measure, read_order
from archive.deeds import DEEDS, Refused
from archive.models import Action, Asset, Batch
from search.admin.forms import ActForm
from search.finding import By, Finding

if TYPE_CHECKING:
    AssetModelAdmin = admin.ModelAdmin[Asset]
else:
    AssetModelAdmin = admin.ModelAdmin

STRIP = 12
# What each does, as a button says it, and what is to be known before.
DOES = {
    Action.TAG: ("Put the tags on", ""),
    Action.UNTAG: ("Take the tags off", ""),
    Action.MOVE: (
        "Move",
        "What that collection holds already stays where it is. Where a picture lies decides who may see it.",
    ),
    Action.TRASH: ("Trash", "Nobody finds them any more. They can be put back until the trash deletes them for good."),
    Action.RESTORE: ("Restore", "Back to where they were."),
    Action.DOWNLOAD: ("Make the file", "The originals as one zip file. It is kept for a day, for you alone."),
    Action.ENCODE: ("Encode again", "Their vectors are made anew. They are found by the old ones meanwhile."),
    Action.RETRY: ("Try again", "All that was set aside or skipped of them is tried once more."),
}


class AssetActions(AssetModelAdmin):
    actions = ("tag", "untag", "move", "trash", "restore", "download", "encode", "retry")

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Asset], *rest: Any, **more: Any
    ) -> HttpResponse | None:
        """ "Select all" means what the page showed. Found in another way meanwhile, it would be another set."""
        finding: Finding | None = getattr(request, "finding", None)
        if finding and request.POST.get("found_by", finding.by) != finding.by:
            self.message_user(
                request,
                "Nothing was changed: the search answers differently now than it did on this page. "
                "Look at what it finds, then choose again.",
                messages.ERROR,
            )
            return None
        return super().response_action(request, queryset, *rest, **more)

    @admin.action(description="Tag …")
    def tag(self, request: HttpRequest, queryset: QuerySet[Asset]) -> HttpResponse:
        return self._act(request, queryset, Action.TAG)

    @admin.action(description="Take tags off …")
    def untag(self, request: HttpRequest, queryset: QuerySet[Asset]) -> HttpResponse:
        return self._act(request, queryset, Action.UNTAG)

    @admin.action(description="Move …")
    def move(self, request: HttpRequest, queryset: QuerySet[Asset]) -> HttpResponse:
        return self._act(request, queryset, Action.MOVE)

    @admin.action(description="Trash …")
    def trash(self, request: HttpRequest, queryset: QuerySet[Asset]) -> HttpResponse:
        return self._act(request, queryset, Action.TRASH)

    @admin.action(description="Restore …")
    def restore(self, request: HttpRequest, queryset: QuerySet[Asset]) -> HttpResponse:
        return self._act(request, queryset, Action.RESTORE)

    @admin.action(description="Download …")
    def download(self, request: HttpRequest, queryset: QuerySet[Asset]) -> HttpResponse:
        return self._act(request, queryset, Action.DOWNLOAD)

    @admin.action(description="Encode again …")
    def encode(self, request: HttpRequest, queryset: QuerySet[Asset]) -> HttpResponse:
        return self._act(request, queryset, Action.ENCODE)

    @admin.action(description="Try failed ones again …")
    def retry(self, request: HttpRequest, queryset: QuerySet[Asset]) -> HttpResponse:
        return self._act(request, queryset, Action.RETRY)

    def _act(self, request: HttpRequest, queryset: QuerySet[Asset], action: Action) -> HttpResponse:
        """First shows and asks, then orders. The page between carries the choice in its form, not in its address."""
        form = ActForm(person(request), action, request.POST if "confirmed" in request.POST else None)
        if not form.is_valid():
            return self._ask(request, queryset, action, form)
        try:
            return HttpResponseRedirect(self._order(request, queryset, action, form).get_absolute_url())
        except (Refused, SetChanged) as error:
            form.add_error(None, str(error))
            return self._ask(request, queryset, action, form)

    def _order(self, request: HttpRequest, queryset: QuerySet[Asset], action: Action, form: ActForm) -> Batch:
        user = person(request)
        order = read_order(action, form.arguments(), user, self._what(request, queryset), {})
        return make_batch(order, user, queryset, request.POST.get("expected", ""))

    def _what(self, request: HttpRequest, queryset: QuerySet[Asset]) -> str:
        """The choice in words, for whoever looks at the batch later."""
        if request.POST.get("select_across", "0") == "0":
            return _many(queryset.order_by().count(), "chosen picture", "chosen pictures")
        terms = [f"{name.partition('__')[0].replace('_', ' ')} {value}" for name, value in request.GET.items() if value]
        return f"In the admin: {', '.join(terms) or 'everything'}"

    def _ask(self, request: HttpRequest, queryset: QuerySet[Asset], action: Action, form: ActForm) -> HttpResponse:
        user = person(request)
        mine = queryset.filter(pk__in=DEEDS[action].open_to(user).order_by().values("pk"))
        chosen, allowed = measure(queryset), measure(mine)
        button, note = DOES[action]
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": f"{button}: {_many(allowed.count, 'asset', 'assets')}",
            "opts": self.opts,
            "form": form,
            "act": action,
            "button": button,
            "note": note,
            "set": allowed,
            "left": chosen.count - allowed.count,
            "some": mine.select_related("collection").defer("exif", "notes", "caption")[:STRIP],
            "more": max(0, allowed.count - STRIP),
            "checkbox": ACTION_CHECKBOX_NAME,
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "across": request.POST.get("select_across", "0"),
            "found_by": request.POST.get("found_by", By.EVERYTHING.value),
            "back": request.get_full_path(),
        }
        return TemplateResponse(request, "admin/archive/asset/act.html", context)


def _many(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"

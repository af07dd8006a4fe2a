"""What curators do to many assets at once. Each says how many it did, and why not the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from archive import trash as bin
from archive import work
from archive.models import Asset, Work, WorkState
from archive.moving import move
from search.admin.forms import MoveForm
from search.finding import By, Finding

if TYPE_CHECKING:
    AssetModelAdmin = admin.ModelAdmin[Asset]
else:
    AssetModelAdmin = admin.ModelAdmin


def curated(request: HttpRequest, chosen: QuerySet[Asset]) -> QuerySet[Asset]:
    """Of the chosen assets, those that this person curates: bare, without the order and joins of the list."""
    return Asset.objects.curated_by(request.user).filter(pk__in=chosen.order_by().values("pk"))


class AssetActions(AssetModelAdmin):
    actions = ("encode_again", "move", "retry", "trash", "restore")

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

    @admin.action(description="Encode again")
    def encode_again(self, request: HttpRequest, queryset: QuerySet[Asset]) -> None:
        vectors = work.encode_again(curated(request, queryset))
        self._say(request, queryset, f"{_many(vectors, 'vector is', 'vectors are')} made again.")

    @admin.action(description="Try failed ones again")
    def retry(self, request: HttpRequest, queryset: QuerySet[Asset]) -> None:
        failed = Work.objects.filter(
            asset__in=curated(request, queryset).values("pk"),
            state__in=(WorkState.QUARANTINED, WorkState.CANCELLED),
        )
        assets = failed.values("asset").distinct().count()
        work.retry(failed)
        self._say(request, queryset, f"{_many(assets, 'failed asset is', 'failed assets are')} tried again.")

    @admin.action(description="Trash")
    def trash(self, request: HttpRequest, queryset: QuerySet[Asset]) -> None:
        done = bin.trash(curated(request, queryset))
        self._say(request, queryset, f"{_many(done, 'asset lies', 'assets lie')} in the trash now.")

    @admin.action(description="Restore")
    def restore(self, request: HttpRequest, queryset: QuerySet[Asset]) -> None:
        done = bin.restore(curated(request, queryset))
        self._say(request, queryset, f"{_many(done, 'asset is', 'assets are')} back from the trash.")

    @admin.action(description="Move …")
    def move(self, request: HttpRequest, queryset: QuerySet[Asset]) -> HttpResponse | None:
        """First asks where to, then moves. The page between carries the choice in its form, not in its address."""
        mine = curated(request, queryset)
        form = MoveForm(request.user, request.POST if "collection" in request.POST else None)
        if not form.is_valid():
            return self._ask_where(request, mine, form)
        to = form.cleaned_data["collection"]
        outcome = move(mine, to)
        sentence = f"{_many(outcome.moved, 'asset was', 'assets were')} moved to {to}."
        if outcome.there_already:
            sentence += f" {outcome.there_already:,} stayed: {to} has the same picture already."
        self._say(request, queryset, sentence)
        return None

    def _ask_where(self, request: HttpRequest, mine: QuerySet[Asset], form: MoveForm) -> HttpResponse:
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": "Move to another collection",
            "opts": self.opts,
            "media": self.media,
            "form": form,
            "count": mine.count(),
            "some": mine.select_related("collection").defer("exif", "notes", "caption")[:12],
            "checkbox": ACTION_CHECKBOX_NAME,
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "across": request.POST.get("select_across", "0"),
            "found_by": request.POST.get("found_by", By.EVERYTHING.value),
            "back": request.get_full_path(),
        }
        return TemplateResponse(request, "admin/archive/asset/move.html", context)

    def _say(self, request: HttpRequest, queryset: QuerySet[Asset], sentence: str) -> None:
        self.message_user(request, sentence)
        if request.user.is_superuser:
            return
        chosen = queryset.order_by().values("pk")
        left = chosen.exclude(pk__in=Asset.objects.curated_by(request.user).values("pk")).count()
        if left:
            note = f"{_many(left, 'asset was', 'assets were')} left alone: you do not curate where they are."
            self.message_user(request, note, messages.WARNING)


def _many(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"

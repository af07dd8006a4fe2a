"""A tag typed on a card of the contact sheet, and the names that are offered while one types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme

from archive.access import person
from archive.models import Asset, Collection
from archive.models.collections import CURATING
from archive.models.concepts import fold
from archive.tag_names import BadTag, clean_names
from archive.tags import add_tags, remove_tags, seen_tags

if TYPE_CHECKING:
    AssetModelAdmin = admin.ModelAdmin[Asset]
else:
    AssetModelAdmin = admin.ModelAdmin

OFFERED = 12


class QuickTags(AssetModelAdmin):
    def get_urls(self) -> list[URLPattern]:
        own = [
            path("names/", self.admin_site.admin_view(self.names_view), name="archive_asset_names"),
            path("<int:object_id>/tags/", self.admin_site.admin_view(self.tags_view), name="archive_asset_tags"),
        ]
        return [*own, *super().get_urls()]

    def names_view(self, request: HttpRequest) -> HttpResponse:
        """Names of tags that begin so; with `of` those of collections that one sees, or curates, with it in them."""
        written = request.GET.get("q", "").replace("\0", "")[:80]
        of = request.GET.get("of")
        if of in ("collection", "curated"):
            places = Collection.objects.visible_to(request.user)
            places = Collection.objects.open_to(request.user, CURATING) if of == "curated" else places
            names = list(places.filter(name__ilike=written).order_by("name").values_list("name", flat=True)[:OFFERED])
        else:
            begun = seen_tags(request.user).filter(folded__startswith=fold(written))
            names = list(begun.values_list("name", flat=True)[:OFFERED])
        return JsonResponse({"names": names})

    def tags_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Put on what is typed on the card, take off what was clicked; the answer is the card's tags, or the page."""
        user = person(request)
        asset = Asset.objects.curated_by(user).filter(pk=object_id).first() if object_id < 2**63 else None
        if asset is None or request.method != "POST":
            raise Http404
        problem = ""
        try:
            self._change(request, asset)
        except BadTag as error:
            problem = str(error)
        if request.headers.get("X-Part") == "tags":
            asset.takes_tags = True  # type: ignore[attr-defined]
            context = {"asset": asset, "problem": problem}
            return render(request, "admin/archive/asset/_card_tags.html", context, status=400 if problem else 200)
        if problem:
            messages.error(request, problem)
        return HttpResponseRedirect(self._back(request))

    def _change(self, request: HttpRequest, asset: Asset) -> None:
        """Raises `BadTag`."""
        this, user = Asset.objects.filter(pk=asset.pk), person(request)
        added = clean_names([request.POST.get(f"add-{asset.pk}", "")])
        removed = clean_names([request.POST.get("remove", "")])
        if added and add_tags(this, added, user):
            self.log_change(request, asset, f"Put on {_quoted(added)}.")
        if removed and remove_tags(this, removed, user):
            self.log_change(request, asset, f"Took off {_quoted(removed)}.")

    def _back(self, request: HttpRequest) -> str:
        back = request.POST.get("back", "")
        safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
        return back if safe and back.startswith("/") else reverse("admin:archive_asset_changelist")


def _quoted(names: list[str]) -> str:
    return ", ".join(f"“{name}”" for name in names)

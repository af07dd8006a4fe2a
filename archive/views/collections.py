"""Collections: the shelf, one of them, and its members."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods, require_POST

from archive.access import person, visible_only
from archive.forms import CollectionForm, MemberForm
from archive.models import Asset, Collection, Membership, Role, Status
from archive.models.assets import may_upload_to

if TYPE_CHECKING:
    from archive.models import AssetQuerySet

PAGE = 60
COVERS = 3


@visible_only
@require_http_methods(["GET", "HEAD", "POST"])
def collections(request: HttpRequest) -> HttpResponse:
    user = person(request)
    form = CollectionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return redirect(form.create(user))
    context = {"shelf": _shelf(user), "form": form, "here": "collections"}
    return render(request, "archive/collections.html", context)


@dataclass(frozen=True)
class Shelved:
    """A collection as it stands on the shelf."""

    slug: str
    name: str
    visibility: str
    size: int
    covers: list[Asset]


def _shelf(user: User) -> list[Shelved]:
    """The collections with their sizes and a few covers each, in two statements however many there are."""
    kept = Asset.objects.shown().filter(collection=OuterRef("pk"))
    ready = kept.filter(status=Status.READY).order_by("-added_at", "-pk")
    count = kept.order_by().values("collection").annotate(n=Count("pk")).values("n")
    rows = list(
        Collection.objects.visible_to(user)
        .annotate(
            size=Coalesce(Subquery(count, output_field=IntegerField()), 0),
            cover_ids=ArraySubquery(ready.values("pk")[:COVERS]),
        )
        .values_list("slug", "name", "visibility", "size", "cover_ids")
    )
    assets = Asset.objects.in_bulk([pk for *_, cover_ids in rows for pk in cover_ids])
    return [
        Shelved(slug, name, visibility, size, [assets[pk] for pk in cover_ids if pk in assets])
        for slug, name, visibility, size, cover_ids in rows
    ]


@visible_only
@require_http_methods(["GET", "HEAD", "POST"])
def collection(request: HttpRequest, slug: str) -> HttpResponse:
    user = person(request)
    found = get_object_or_404(Collection.objects.visible_to(user).select_related("owner"), slug=slug)
    kept = Asset.objects.visible_to(user).filter(collection=found)
    assets, following = _page(kept, request.GET.get("after", ""))
    context = {"collection": found, "assets": assets, "next": following}
    if request.headers.get("HX-Request"):
        return _varying(render(request, "archive/_assets_page.html", context))
    settings_form = _settings_form(request, found)
    if request.method == "POST":
        if settings_form is None:
            raise Http404
        if settings_form.is_valid():
            settings_form.save()
            return redirect(found)
    return _varying(_show(request, found, {**context, "size": kept.count(), "settings_form": settings_form}))


def _show(request: HttpRequest, found: Collection, context: dict[str, object]) -> HttpResponse:
    user = person(request)
    owns = context.get("settings_form") is not None
    context = {
        "members": found.memberships.select_related("user", "group").order_by("user__username", "group__name"),
        "member_form": MemberForm() if owns else None,
        "may_upload": may_upload_to(user).filter(pk=found.pk).exists(),
        **context,
    }
    return render(request, "archive/collection.html", context)


def _settings_form(request: HttpRequest, found: Collection) -> CollectionForm | None:
    if not Collection.objects.open_to(person(request), (Role.OWNER,)).filter(pk=found.pk).exists():
        return None
    return CollectionForm(request.POST or None, instance=found)


def _page(kept: AssetQuerySet, after: str) -> tuple[list[Asset], str]:
    """The next assets, newest first, and the address of those behind them. `after` is the last one shown."""
    newest: QuerySet[Asset] = kept.order_by("-added_at", "-pk")
    if after:
        last = get_object_or_404(kept, uuid=_uuid(after))
        newest = newest.filter(Q(added_at__lt=last.added_at) | Q(added_at=last.added_at, pk__lt=last.pk))
    page = list(newest[: PAGE + 1])
    return page[:PAGE], f"?after={page[PAGE - 1].uuid}" if len(page) > PAGE else ""


def _uuid(raw: str) -> uuid.UUID:
    try:
        return uuid.UUID(raw)
    except ValueError:
        raise Http404 from None


def _varying(response: HttpResponse) -> HttpResponse:
    """The same address answers htmx with a part of the page: no cache may mix the two up."""
    patch_vary_headers(response, ["HX-Request"])
    return response


@visible_only
@require_POST
def add_member(request: HttpRequest, slug: str) -> HttpResponse:
    found = _owned(request, slug)
    form = MemberForm(request.POST)
    if form.is_valid():
        form.add_to(found)
        return redirect(found)
    kept = Asset.objects.visible_to(person(request)).filter(collection=found)
    assets, following = _page(kept, "")
    context = {
        "collection": found,
        "assets": assets,
        "next": following,
        "size": kept.count(),
        "member_form": form,
    }
    return _show(request, found, {**context, "settings_form": CollectionForm(instance=found)})


@visible_only
@require_POST
def remove_member(request: HttpRequest, slug: str, member: int) -> HttpResponse:
    found = _owned(request, slug)
    get_object_or_404(Membership, pk=member, collection=found).delete()
    return redirect(found)


def _owned(request: HttpRequest, slug: str) -> Collection:
    owned = Collection.objects.open_to(person(request), (Role.OWNER,)).select_related("owner")
    return get_object_or_404(owned, slug=slug)

"""The page of one asset, and what its curators do there."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from archive import trash as bin
from archive.access import find_curated, find_seen, person, visible_only
from archive.duplicates import pairs_of
from archive.forms import AssetForm
from archive.models import Asset, Status
from archive.tags import proposed_on, seen_tags, tags_of
from archive.templatetags.shapes import BONES
from archive.video.playable import may_be_made_again
from archive.video.player import player_of
from archive.video.progress import progress_of
from archive.work import retry_assets

KNOWN = 200  # so many names of tags are offered while one types


@visible_only
@require_http_methods(["GET", "HEAD", "POST"])
def asset(request: HttpRequest, asset: uuid.UUID) -> HttpResponse:
    user = person(request)
    if held := Asset.objects.held_from(user).filter(uuid=asset).first():
        return render(request, "archive/review_held.html", {"asset": held})
    found = find_seen(user, asset)
    curates = found.may_be_curated_by(user)
    form = AssetForm(request.POST or None, instance=found) if curates else None
    if request.method == "POST":
        if form is None:
            raise Http404
        if form.is_valid():
            form.save()
            return redirect(found)
    carried = request.GET.copy()
    carried.pop("t", None)
    context = {
        "asset": found,
        "player": player_of(found, request.GET.get("t", "")),
        "carried": carried.urlencode(),
        "form": form,
        "preview": found.renditions.filter(spec="preview").first(),
        "may_retry": _may_retry(user, found, curates),
        "lookalikes": pairs_of(user, found).count(),
        "bones": BONES[:9],
        "progress": progress_of(found) if found.status == Status.PENDING else None,
        "tags": tags_of(found),
        "proposed": proposed_on(found) if curates else [],
        "known_tags": seen_tags(user)[:KNOWN] if curates else [],
    }
    return render(request, "archive/asset.html", context)


@visible_only
@require_POST
def trash(request: HttpRequest, asset: uuid.UUID) -> HttpResponse:
    found = find_curated(person(request), asset)
    bin.trash(Asset.objects.filter(pk=found.pk))
    return redirect(found)


@visible_only
@require_POST
def restore(request: HttpRequest, asset: uuid.UUID) -> HttpResponse:
    found = find_curated(person(request), asset)
    bin.restore(Asset.objects.filter(pk=found.pk))
    messages.success(request, f"“{found}” is back.")
    return redirect("trash") if request.POST.get("back") == "trash" else redirect(found)


@visible_only
@require_POST
def retry(request: HttpRequest, asset: uuid.UUID) -> HttpResponse:
    user = person(request)
    found = find_seen(user, asset)
    if not _may_retry(user, found, found.may_be_curated_by(user)):
        raise Http404
    retry_assets([found])
    return redirect(found)


def _may_retry(user: User, found: Asset, curates: bool) -> bool:
    return (curates or found.uploader_id == user.pk) and (found.status == Status.FAILED or may_be_made_again(found))

"""What curators removed, until it is deleted for good."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from archive.access import person, visible_only
from archive.models import Asset

PAGE = 60


@visible_only
@require_safe
def trash(request: HttpRequest) -> HttpResponse:
    lying = Asset.objects.curated_by(person(request)).filter(trashed_at__isnull=False)
    start = _start(request)
    page = list(lying.select_related("collection").order_by("-trashed_at", "-pk")[start : start + PAGE + 1])
    context = {
        "assets": page[:PAGE],
        "next": f"?from={start + PAGE}" if len(page) > PAGE else "",
        "days": settings.SIGHTLINE_TRASH_DAYS,
    }
    return render(request, "archive/trash.html", context)


def _start(request: HttpRequest) -> int:
    raw = request.GET.get("from", "0")
    if not raw.isascii() or not raw.isdigit() or len(raw) > 7:
        raise Http404
    return int(raw)

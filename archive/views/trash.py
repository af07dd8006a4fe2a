"""What curators removed, until it is deleted for good."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from archive.access import person, visible_only
from archive.batches import SetChanged, make_batch, measure, read_order
from archive.deeds import Refused
from archive.models import Action, Asset

PAGE = 60


@visible_only
@require_safe
def trash(request: HttpRequest) -> HttpResponse:
    lying = Asset.objects.curated_by(person(request)).filter(trashed_at__isnull=False)
    start = _start(request)
    page = list(lying.select_related("collection").order_by("-trashed_at", "-pk")[start : start + PAGE + 1])
    context = {
        "lying": measure(lying) if page else None,
        "assets": page[:PAGE],
        "next": f"?from={start + PAGE}" if len(page) > PAGE else "",
        "days": settings.SIGHTLINE_TRASH_DAYS,
    }
    return render(request, "archive/trash.html", context)


@visible_only
@require_POST
def restore_all(request: HttpRequest) -> HttpResponse:
    """Put back all that lies in the trash, as one batch, which can be undone."""
    user = person(request)
    lying = Asset.objects.curated_by(user).filter(trashed_at__isnull=False)
    try:
        order = read_order(Action.RESTORE, {}, user, "The whole trash", {})
        return redirect(make_batch(order, user, lying, request.POST.get("expected", "")))
    except (Refused, SetChanged) as error:
        messages.error(request, str(error))
    return redirect("trash")


def _start(request: HttpRequest) -> int:
    raw = request.GET.get("from", "0")
    if not raw.isascii() or not raw.isdigit() or len(raw) > 7:
        raise Http404
    return int(raw)

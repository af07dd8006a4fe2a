"""What somebody did to many assets: progress, result, the way back. For that person alone."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.text import slugify
from django.utils.timezone import localtime
from django.views.decorators.http import require_POST, require_safe

from archive import exports
from archive.access import person, self_only
from archive.batch_words import outcome, title
from archive.batches import still_shared, undo, why_left
from archive.deeds import Refused
from archive.handing_over import hand_over
from archive.models import Action, Batch, BatchState

PAGE = 50


@self_only
@require_safe
def batches(request: HttpRequest) -> HttpResponse:
    mine = Batch.objects.filter(owner=person(request))[:PAGE]
    rows = [{"batch": batch, "title": title(batch), "outcome": outcome(batch)} for batch in mine]
    return render(request, "archive/batches.html", {"rows": rows, "days": settings.SIGHTLINE_TRASH_DAYS})


@self_only
@require_safe
def batch(request: HttpRequest, batch: uuid.UUID) -> HttpResponse:
    found = _mine(request, batch)
    context = {
        "batch": found,
        "title": title(found),
        "outcome": outcome(found),
        "why_left": [] if found.is_open else why_left(found),
        "file": _file(found),
        "expired": found.action == Action.DOWNLOAD and found.state == BatchState.DONE and not _file(found),
    }
    template = "archive/_batch.html" if request.headers.get("HX-Request") else "archive/batch.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@self_only
@require_POST
def undo_batch(request: HttpRequest, batch: uuid.UUID) -> HttpResponse:
    found = _mine(request, batch)
    try:
        undo(found)
    except Refused as error:
        messages.error(request, str(error))
    return redirect(found)


@self_only
@require_safe
def download(request: HttpRequest, batch: uuid.UUID) -> HttpResponseBase:
    found = _mine(request, batch)
    if not _file(found):
        raise Http404
    if not still_shared(found):
        messages.error(request, "Some of these pictures are not shared with you any more. Ask for the download again.")
        return redirect(found)
    day = localtime(found.created_at).strftime("%Y-%m-%d")
    name = f"sightline-{day}-{slugify(found.what)[:60] or 'pictures'}.zip"
    path = exports.finished(found)
    zipped = "application/zip"
    try:
        response: HttpResponseBase = hand_over(f"exports/{path.name}", zipped, name) or FileResponse(
            path.open("rb"), content_type=zipped, as_attachment=True, filename=name
        )
    except FileNotFoundError:
        raise Http404 from None
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _mine(request: HttpRequest, batch: uuid.UUID) -> Batch:
    return get_object_or_404(Batch, uuid=batch, owner=person(request))


def _file(batch: Batch) -> int:
    """The size of what can be downloaded, 0 where nothing can."""
    if batch.action != Action.DOWNLOAD or batch.state != BatchState.DONE or not batch.done:
        return 0
    path = exports.finished(batch)
    return path.stat().st_size if path.exists() else 0

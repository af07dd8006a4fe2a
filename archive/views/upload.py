"""Upload: one file a request from a script, many at once from a plain form."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.base import File
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from archive.access import person, visible_only, wants_json
from archive.forms import UploadForm
from archive.incoming import IncomingFile, RefusedFile, TooLarge
from archive.ingest import BacklogTooLong, EmptyFile, StorageFull, ingest_file, refuse_behind_backlog
from archive.models import Asset, Collection, Status
from archive.models.assets import may_upload_to
from archive.models.work import Priority
from archive.sniff import FILMS, PICTURES, UnsupportedMedia
from archive.templatetags.shapes import shape
from archive.video.progress import Progress, progress_of, progress_of_each

REFUSALS: dict[type[Exception], tuple[str, int]] = {
    UnsupportedMedia: ("unsupported", 415),
    TooLarge: ("too_large", 413),
    StorageFull: ("storage_full", 507),
    EmptyFile: ("empty", 400),
    BacklogTooLong: ("backlog", 503),
}
STATUS_LIMIT = 200
HELD = "It is under review. It shows up when somebody has looked at it and let it through."


@dataclass(frozen=True)
class Refusal:
    code: str
    message: str
    status: int = 400
    wait: int | None = None  # seconds after which asking again may help

    def json(self) -> JsonResponse:
        headers = {"Retry-After": str(self.wait)} if self.wait else None
        told = {"error": {"code": self.code, "message": self.message, "fields": {}}}
        return JsonResponse(told, status=self.status, headers=headers)


@dataclass(frozen=True)
class Result:
    filename: str
    asset: Asset | None = None
    new: bool = False
    error: Refusal | None = None

    def json(self) -> JsonResponse:
        if self.asset is None:
            return (self.error or Refusal("no_file", "No file came along.")).json()
        return JsonResponse(
            {**_state(self.asset, _progress(self.asset)), "new": self.new}, status=201 if self.new else 200
        )


@visible_only
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest) -> HttpResponseBase:
    user = person(request)
    results: list[Result] = []
    form = UploadForm(user, initial={"collection": _first_choice(request, user)})
    if request.method == "POST":
        form = UploadForm(user, request.POST)
        if form.is_valid():
            results = _take(request, form.get_collection(), user)
        if wants_json(request):
            return _first(form, results).json()
    context = {
        "form": form,
        "results": results,
        "here": "upload",
        "limit": settings.SIGHTLINE_UPLOAD_LIMIT,
        "accepted": ", ".join(kind.label for kind in PICTURES.values()),
        "films": ", ".join(kind.label for kind in FILMS.values()),
        "film_limit": max(settings.SIGHTLINE_UPLOAD_LIMIT, settings.SIGHTLINE_VIDEO_LIMIT),
    }
    return render(request, "archive/upload.html", context)


@visible_only
@require_safe
def upload_status(request: HttpRequest) -> HttpResponse:
    """The states of `?id=..&id=..`, as far as the asker may see them; of what they uploaded also that it is held."""
    ids = [found for raw in request.GET.getlist("id")[:STATUS_LIMIT] if (found := _uuid(raw))]
    user = person(request)
    told = Asset.objects.visible_to(user) | Asset.objects.held_from(user)
    assets = list(told.filter(uuid__in=ids))
    progress = progress_of_each(asset for asset in assets if asset.status == Status.PENDING and not asset.quarantined)
    return JsonResponse({"assets": [_state(asset, progress.get(asset.pk)) for asset in assets]})


def _take(request: HttpRequest, collection: Collection, user: User) -> list[Result]:
    files = request.FILES.getlist("files")
    # Somebody looks on while a few files come in; a folder of hundreds may wait behind that.
    priority = Priority.INTERACTIVE if request.POST.get("of", "1") in ("1", "2", "3", "4", "5") else Priority.BULK
    return [_take_one(file, collection, user, priority) for file in files]


def _take_one(file: File[bytes], collection: Collection, user: User, priority: Priority) -> Result:
    name = file.name or "unnamed"
    try:
        if isinstance(file, RefusedFile):
            raise file.refusal
        assert isinstance(file, IncomingFile)
        refuse_behind_backlog(priority)
        taken = ingest_file(file.incoming, collection=collection, uploader=user, filename=name, priority=priority)
    except tuple(REFUSALS) as error:
        code, status = REFUSALS[type(error)]
        return Result(name, error=Refusal(code, str(error), status, getattr(error, "wait", None)))
    return Result(name, taken.asset, taken.new)


def _first(form: UploadForm, results: list[Result]) -> Result:
    """What a script that sent one file is told."""
    if form.errors:
        sentence = " ".join(str(error) for errors in form.errors.values() for error in errors)
        return Result("", error=Refusal("collection", sentence))
    return results[0] if results else Result("")


def _first_choice(request: HttpRequest, user: User) -> str | None:
    wanted = may_upload_to(user).filter(slug=request.GET.get("collection", "").replace("\0", "")).first()
    chosen = wanted or may_upload_to(user).first()
    return chosen.slug if chosen else None


def _state(asset: Asset, progress: Progress | None) -> dict[str, Any]:
    """Of what is in quarantine no more than that: it may be somebody else's, of the same bytes."""
    if asset.quarantined and asset.status == Status.PENDING:  # held until it was looked at, as every upload there
        return {"asset": str(asset.uuid), "url": asset.get_absolute_url(), "status": asset.status, "error": ""}
    if asset.quarantined:
        return {"asset": str(asset.uuid), "url": reverse("review_held"), "status": "held", "error": HELD}
    return {
        "progress": progress.as_dict() if progress else None,
        "asset": str(asset.uuid),
        "url": asset.get_absolute_url(),
        "thumbnail": asset.thumbnail_url,
        "retry": f"{asset.get_absolute_url()}retry/",
        "status": asset.status,
        "error": asset.error,
        "shape": shape(asset),
    }


def _progress(asset: Asset) -> Progress | None:
    return progress_of(asset) if asset.status == Status.PENDING else None


def _uuid(raw: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(raw)
    except ValueError:
        return None

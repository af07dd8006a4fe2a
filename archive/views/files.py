"""The bytes of assets. Every one passes the same question: may this person see it?"""

from __future__ import annotations

import uuid

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from archive.access import find_seen, person, visible_only
from archive.handing_over import hand_over
from archive.models import Kind
from archive.ranges import MOST_PLAYED, Part, Unsatisfiable, read_range, still_meant
from archive.video.playable import playable_key

SHOWN = ("thumbnail", "preview", "sprite")
MOST_ID = 2**63 - 1
# A file is data, whatever it contains: no script, no frame, no other site may make a page of it.
INERT = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, max-age=3600",
}


@visible_only
@require_safe
def rendition(request: HttpRequest, asset: uuid.UUID, spec: str) -> HttpResponseBase:
    found = find_seen(person(request), asset)
    made = found.renditions.filter(spec=spec).first()
    if spec not in SHOWN or made is None:
        raise Http404
    return _send(request, made.key, made.media_type)


@visible_only
@require_safe
def playable(request: HttpRequest, asset: uuid.UUID) -> HttpResponseBase:
    """A video as browsers play it: the original, or what was made of it."""
    found = find_seen(person(request), asset)
    plays = playable_key(found) if found.kind == Kind.VIDEO else None
    if plays is None:
        raise Http404
    return _send(request, *plays, most=MOST_PLAYED)


@visible_only
@require_safe
def still(request: HttpRequest, asset: uuid.UUID, frame: int) -> HttpResponseBase:
    """The picture of a shot."""
    found = find_seen(person(request), asset)
    shown = found.frames.filter(pk=min(frame, MOST_ID)).exclude(still="").first()
    if shown is None:
        raise Http404
    return _send(request, shown.still, "image/webp")


@visible_only
@require_safe
def original(request: HttpRequest, asset: uuid.UUID) -> HttpResponseBase:
    found = find_seen(person(request), asset)
    return _send(request, found.original, found.media_type, save_as=found.filename)


def _send(request: HttpRequest, key: str, media_type: str, save_as: str = "", most: int = 0) -> HttpResponseBase:
    """A key names content and recipe, so it serves as the entity tag. `most`: bytes of a part; 0: as many as wanted."""
    etag = f'"{key.replace("/", "-")}"'
    unchanged = get_conditional_response(request, etag=etag)
    response: HttpResponseBase = unchanged or _open(request, key, media_type, save_as, etag, most)
    for name, value in INERT.items():
        response.headers[name] = value
    response.headers["ETag"] = etag
    response.headers["Accept-Ranges"] = "bytes"
    return response


def _open(request: HttpRequest, key: str, media_type: str, save_as: str, etag: str, most: int) -> HttpResponseBase:
    """The file, or the part of it that was asked for. Parts are for GET alone, as the standard has it."""
    try:
        handed = hand_over(key, media_type, save_as)
        if handed is not None:
            return handed
        file = default_storage.open(key)
    except FileNotFoundError:
        raise Http404 from None
    asked = request.headers.get("Range", "") if request.method == "GET" else ""
    if not asked or not still_meant(request.headers.get("If-Range", ""), etag):
        return FileResponse(file, content_type=media_type, as_attachment=bool(save_as), filename=save_as)
    size = file.size
    try:
        found = read_range(asked, size)
    except Unsatisfiable:
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    if found is None:
        return FileResponse(file, content_type=media_type, as_attachment=bool(save_as), filename=save_as)
    first, last = found
    if most:
        last = min(last, first + most - 1)
    part = StreamingHttpResponse(Part(file, first, last - first + 1), status=206, content_type=media_type)
    part.headers["Content-Length"] = str(last - first + 1)
    part.headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    if save_as:
        part.headers["Content-Disposition"] = content_disposition_header(True, save_as) or "attachment"
    return part

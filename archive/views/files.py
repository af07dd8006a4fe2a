"""The bytes of assets. Every one passes the same question: may this person see it?"""

from __future__ import annotations

import uuid

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from archive.access import find_seen, person, visible_only

SHOWN = ("thumbnail", "preview")
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
def original(request: HttpRequest, asset: uuid.UUID) -> HttpResponseBase:
    found = find_seen(person(request), asset)
    return _send(request, found.original, found.media_type, save_as=found.filename)


def _send(request: HttpRequest, key: str, media_type: str, save_as: str = "") -> HttpResponseBase:
    """A key names content and recipe, so it serves as the entity tag."""
    etag = f'"{key.replace("/", "-")}"'
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None:
        response: HttpResponseBase = unchanged
    else:
        try:
            file = default_storage.open(key)
        except FileNotFoundError:
            raise Http404 from None
        response = FileResponse(file, content_type=media_type, as_attachment=bool(save_as), filename=save_as)
    for name, value in INERT.items():
        response.headers[name] = value
    response.headers["ETag"] = etag
    return response

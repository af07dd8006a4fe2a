"""The pictures of flags: blurred, and clear for who asks."""

from __future__ import annotations

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe

from archive.access import person, visible_only
from archive.models import Flag
from archive.moderation.blurring import blurred, find_key
from archive.views.files import INERT

# Nothing of it stays in the reviewer's browser.
FORGOTTEN = INERT | {"Cache-Control": "private, no-store"}


@visible_only
@require_safe
def picture(request: HttpRequest, flag: int) -> HttpResponseBase:
    """Of the asset, or of one `frame` that the flag names; `clear=1` shows it as it is."""
    found = Flag.objects.reviewed_by(person(request)).filter(pk=flag).select_related("asset").first()
    frame = request.GET.get("frame", "")
    if found is None or (frame and not (frame.isascii() and frame.isdigit() and len(frame) < 16)):
        raise Http404
    clear = request.GET.get("clear") == "1"
    key = find_key(found, int(frame) if frame else None, large=clear)
    if key is None:
        raise Http404
    try:
        if clear:
            response: HttpResponseBase = FileResponse(default_storage.open(key), content_type="image/webp")
        else:
            response = HttpResponse(blurred(key), content_type="image/webp")
    except FileNotFoundError:
        raise Http404 from None
    for name, value in FORGOTTEN.items():
        response.headers[name] = value
    return response

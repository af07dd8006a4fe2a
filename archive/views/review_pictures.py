"""The pictures of flags: blurred, and clear for who asks."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from archive.access import person, visible_only
from archive.models import Flag
from archive.moderation.blurring import blurred, find_picture
from archive.storage import StoreAway
from archive.views.files import INERT

# Nothing of it stays in the reviewer's browser.
FORGOTTEN = INERT | {"Cache-Control": "private, no-store"}


@visible_only
@require_safe
def picture(request: HttpRequest, flag: int) -> HttpResponse:
    """Of the asset, or of one `frame` that the flag names; `clear=1` shows it as it is."""
    found = Flag.objects.reviewed_by(person(request)).filter(pk=flag).select_related("asset").first()
    frame = request.GET.get("frame", "")
    if found is None or (frame and not (frame.isascii() and frame.isdigit() and len(frame) < 16)):
        raise Http404
    clear = request.GET.get("clear") == "1"
    try:
        there = find_picture(found, int(frame) if frame else None, large=clear)
    except (FileNotFoundError, StoreAway):
        raise Http404 from None
    if there is None:
        raise Http404
    if clear:
        response = HttpResponse(there.data, content_type=there.media_type)
    else:
        response = HttpResponse(blurred(there), content_type="image/webp")
    for name, value in FORGOTTEN.items():
        response.headers[name] = value
    return response

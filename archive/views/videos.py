"""What the player of a video asks for beside its bytes."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from archive.access import find_seen, person, visible_only
from archive.video.player import previews_of


@visible_only
@require_safe
def previews(request: HttpRequest, asset: uuid.UUID) -> HttpResponse:
    """The small stills for the seconds under the pointer, as a WebVTT track."""
    track = previews_of(find_seen(person(request), asset))
    if track is None:
        raise Http404
    headers = {"Cache-Control": "private, max-age=600", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(track, content_type="text/vtt; charset=utf-8", headers=headers)

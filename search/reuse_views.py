"""Where else the footage of a video is: a part of its page, or a page of its own where no script fetches it."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from archive.access import find_seen, person, visible_only
from search.reuse import find_reuse


@visible_only
@require_safe
def reuse(request: HttpRequest, asset: uuid.UUID) -> HttpResponse:
    user = person(request)
    found = find_seen(user, asset)
    by_script = bool(request.headers.get("HX-Request"))
    page = "search/_reuse.html" if by_script else "search/reuse.html"
    response = render(request, page, {"asset": found, "reuse": find_reuse(user, found)})
    patch_vary_headers(response, ["HX-Request"])
    return response

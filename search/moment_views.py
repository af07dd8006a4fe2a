"""What is found inside one video: a part of its page, or a page of its own where no script fetches it."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from archive.access import find_seen, person, visible_only
from search.engine import NotAnswered, UnknownAsset
from search.inside import look_inside
from search.query import BadQuery, Query
from search.strip import draw_strip


@visible_only
@require_safe
def moments(request: HttpRequest, asset: uuid.UUID) -> HttpResponse:
    """The strip of similarity and the moments, the closest first."""
    context: dict[str, Any] = {"query": Query(), "asset": find_seen(person(request), asset)}
    status = 200
    try:
        query = context["query"] = Query.from_params(request.GET.dict())
        found = look_inside(query, asset, person(request))
        context |= {
            "strip": draw_strip(found.seconds, found.asset.duration or 0.0, found.moments, found.usual),
            "shown": found.moments,
        }
    except UnknownAsset as error:
        raise Http404 from error
    except BadQuery as error:
        context["trouble"], status = str(error), 400
    except NotAnswered as error:
        context["trouble"], status = str(error), error.status
    by_script = bool(request.headers.get("HX-Request"))
    response = render(request, "search/_moments.html" if by_script else "search/moments.html", context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response

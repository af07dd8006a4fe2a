"""The search page. What is found is the engine's business; here it becomes a page, or a part of one."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe

from archive.access import find_seen, person, self_only, visible_only
from archive.decoder.refusals import DecoderError
from archive.incoming import RefusedFile
from archive.models import Asset, Collection, Space, Status
from archive.templatetags.shapes import BONES
from search.engine import NotAnswered, UnknownAsset, search
from search.hints import find_hint
from search.hits import Answer
from search.links import links_around
from search.pictures import find_picture, keep_picture
from search.query import BadQuery, Query

PLANS = {"exact": "compared with every picture", "hnsw": "by the index (HNSW)", "newest": "newest first"}
STRIP = 12


@visible_only
@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    context: dict[str, Any] = {"query": Query(), "answer": Answer()}
    status = 200
    try:
        query = context["query"] = Query.from_params(request.GET.dict())
        context["answer"] = search(query, person(request))
    except BadQuery as error:
        context["problems"], status = error.fields, 400
    except UnknownAsset as error:
        raise Http404 from error
    except NotAnswered as error:
        context["trouble"], status = str(error), 503
    if request.headers.get("HX-Request"):
        response = _next_page(request, context, status)
    else:
        response = render(request, "search/page.html", _around(request, context), status=status)
    # The same address answers htmx with a part of the page: no cache may mix the two up.
    patch_vary_headers(response, ["HX-Request"])
    return response


def _next_page(request: HttpRequest, context: dict[str, Any], status: int) -> HttpResponse:
    query: Query = context["query"]
    if "trouble" in context or "problems" in context:
        context["trouble"] = context.get("trouble") or " ".join(context["problems"].values())
        return render(request, "search/_trouble.html", {**context, "again": query.url()}, status=status)
    return render(request, "search/_page.html", {**context, "next": _following(query, context["answer"])})


def _around(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What a whole page has beside the hits."""
    query, answer, user = context["query"], context["answer"], person(request)
    space = Space.objects.active()
    return {
        **context,
        "next": _following(query, answer),
        "links": links_around(query, list(Collection.objects.visible_to(user))),
        "liked": Asset.objects.visible_to(user).filter(uuid=query.like).first() if query.like else None,
        "hint": find_hint(query),
        "knows": space.knows if space else "",
        "headline": _headline(query, answer),
        "plan_words": PLANS.get(answer.plan, answer.plan),
        "bones": BONES,
        "arriving": query.asks and not answer.hits and _arriving(user),
    }


def _arriving(user: User) -> bool:
    """Whether pictures are on their way that no search finds yet."""
    return Asset.objects.visible_to(user).filter(status=Status.PENDING).exists()


def _following(query: Query, answer: Answer) -> str:
    return query.but(offset=query.offset + query.limit).url() if answer.more else ""


def _headline(query: Query, answer: Answer) -> str:
    took = f"{answer.milliseconds:.0f} ms"
    if not query.asks:
        return f"Newest first · {took}"
    count = len(answer.hits)
    return f"The {count} closest · {took}" if answer.more else f"{count} found · {took}"


@visible_only
@require_safe
def similar(request: HttpRequest, asset: uuid.UUID) -> HttpResponse:
    """A strip of pictures for the page of an asset; a whole page where it is not asked for by htmx."""
    query = Query(like=asset, limit=STRIP)
    if not request.headers.get("HX-Request"):
        return redirect(Query(like=find_seen(person(request), asset).uuid).url())
    try:
        return render(request, "search/_similar.html", {"answer": search(query, person(request)), "query": query})
    except UnknownAsset as error:
        raise Http404 from error
    except NotAnswered as error:
        return render(request, "search/_similar.html", {"trouble": str(error)})


@self_only
@require_POST
def search_picture(request: HttpRequest) -> HttpResponse:
    """A reference picture comes in; the answer is the address of its search."""
    file = request.FILES.get("picture")
    try:
        if file is None:
            return _refused(request, "No picture came along. Choose one, or drop it on the page.", 400)
        if isinstance(file, RefusedFile):
            return _refused(request, str(file.refusal), 413)
        query = Query.from_params(request.GET.dict())
        key = keep_picture(file, person(request))
    except BadQuery as error:
        return _refused(request, str(error), 400)
    except DecoderError as error:
        return _refused(request, str(error), 415)
    except NotAnswered as error:
        return _refused(request, str(error), 503)
    return redirect(query.but(picture=key).url())


def _refused(request: HttpRequest, sentence: str, status: int) -> HttpResponse:
    return render(request, "search/picture_refused.html", {"sentence": sentence}, status=status)


@self_only
@require_safe
def search_picture_shown(request: HttpRequest, key: str) -> HttpResponse:
    """The thumbnail of a reference picture, for the one who brought it."""
    found = find_picture(key, person(request))
    if found is None:
        raise Http404
    headers = {"Cache-Control": "private, max-age=600", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(found.thumbnail, content_type="image/webp", headers=headers)

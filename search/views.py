"""The search page. What is found is the engine's business; here it becomes a page, or a part of one."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe

from archive.access import find_seen, person, self_only, visible_only
from archive.decoder.refusals import DecoderError
from archive.incoming import RefusedFile, StorageFull, TooLarge
from archive.models import Asset, Collection, Kind, SavedSearch, Space, Status
from archive.templatetags.shapes import BONES
from search.classifying import classify_asset
from search.engine import NotAnswered, NotForYou, UnknownAsset, search
from search.facets import count_facets
from search.failures import SEED_GONE
from search.hints import find_hints
from search.hits import Answer
from search.links import links_around
from search.pictures import find_picture, keep_picture
from search.query import BadQuery, Mode, Query
from search.saved import find_saved
from search.side_by_side import compare
from search.spaces import find_live, live_spaces, may_choose_space
from search.zero_shot import read_names

PLANS = {
    "exact": "compared with every picture",
    "hnsw": "by the index (HNSW)",
    "shots": "with one picture of every shot",
    "newest": "newest first",
    "words": "by words alone",
}
STRIP = 12


@visible_only
@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    return _answered(request, request.GET.dict())


@visible_only
@require_safe
def saved_search(request: HttpRequest, saved: uuid.UUID) -> HttpResponse:
    """The search page with a saved query: a dynamic album. Everybody finds what they may see."""
    found = find_saved(person(request), saved)
    if found is None:
        raise Http404
    return _answered(request, {**found.params, **_paging(request)}, found)


def _paging(request: HttpRequest) -> dict[str, str]:
    return {name: request.GET[name] for name in ("offset", "cursor", "limit") if name in request.GET}


def _answered(request: HttpRequest, params: Mapping[str, str], saved: SavedSearch | None = None) -> HttpResponse:
    context: dict[str, Any] = {"query": Query(), "answer": Answer(), "saved": saved}
    status = 200
    try:
        query = context["query"] = Query.from_params(params)
        if query.within and query.asks:
            return _inside(query, person(request))
        context["answer"] = search(query, person(request))
    except BadQuery as error:
        context["query"] = error.rest or context["query"]
        context["problems"], status = error.fields, 400
    except UnknownAsset as error:
        if saved is None:
            raise Http404 from error
        context["trouble"], status = SEED_GONE, error.status
    except NotForYou as error:
        context["problems"], status = {"space": str(error)}, error.status
    except NotAnswered as error:
        context["trouble"], status = str(error), error.status
    if request.headers.get("HX-Request"):
        response = _next_page(request, context, status)
    else:
        response = render(request, "search/page.html", _around(request, context), status=status)
    # The same address answers htmx with a part of the page: no cache may mix the two up.
    patch_vary_headers(response, ["HX-Request"])
    return response


def _inside(query: Query, user: User) -> HttpResponse:
    """Inside one asset its own page shows what is found."""
    found = find_seen(user, query.within) if query.within else None
    if found is None:
        raise Http404
    return redirect(f"{found.get_absolute_url()}?{query.carried}")


def _next_page(request: HttpRequest, context: dict[str, Any], status: int) -> HttpResponse:
    query: Query = context["query"]
    if "trouble" in context or "problems" in context:
        context["trouble"] = context.get("trouble") or " ".join(context["problems"].values())
        return render(request, "search/_trouble.html", {**context, "again": query.but().url()}, status=status)
    return render(request, "search/_page.html", {**context, "next": _following(query, context["answer"])})


def _around(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What a whole page has beside the hits."""
    query, answer, user = context["query"], context["answer"], person(request)
    space = find_live(answer.space) or Space.objects.active()
    return {
        **context,
        "next": _following(query, answer),
        "again": query.but().url(),
        "links": links_around(query, list(Collection.objects.visible_to(user))),
        "liked": _shown_in_box(query.like, user),
        "unliked": _shown_in_box(query.unlike, user),
        "hints": find_hints(query, answer, space),
        "facets_url": query.but().url(reverse("search_facets")),
        "knows": space.knows if space else "",
        "headline": _headline(query, answer),
        "plan_words": PLANS.get(answer.plan, answer.plan),
        "bones": BONES,
        "films": Asset.objects.visible_to(user).filter(kind=Kind.VIDEO).exists(),
        "arriving": query.asks and not answer.hits and _arriving(user),
    }


def _shown_in_box(asset: uuid.UUID | None, user: User) -> Asset | None:
    return Asset.objects.visible_to(user).filter(uuid=asset).first() if asset else None


def _arriving(user: User) -> bool:
    """Whether pictures are on their way that no search finds yet."""
    return Asset.objects.visible_to(user).filter(status=Status.PENDING).exists()


def _following(query: Query, answer: Answer) -> str:
    return query.but(offset=query.offset + query.limit, cursor=answer.cursor).url() if answer.more else ""


def _headline(query: Query, answer: Answer) -> str:
    took = f"{answer.milliseconds:.0f} ms"
    if not query.asks:
        return f"Newest first · {took}"
    if not answer.well:
        return f"Nothing matches well · {took}"
    if query.mode is Mode.EVERYTHING:
        return f"The {answer.got} closest · {took}" if answer.more else f"{answer.got} found · {took}"
    more = "" if answer.well_is_all else "at least "
    verb = "matches" if answer.well == 1 else "match"
    return f"{more}{answer.well} that {verb} well · {took}"


@visible_only
@require_safe
def compare_page(request: HttpRequest) -> HttpResponse:
    """One question in two spaces, for curators who choose a model."""
    user = person(request)
    if not may_choose_space(user):
        return render(request, "search/compare.html", {"problems": [str(NotForYou())]}, status=403)
    live = live_spaces()
    context: dict[str, Any] = {"live": live, "asked": Query()}
    try:
        query = Query.from_params(request.GET.dict())
        left, right = _two_of([space.slug for space in live], query.space, request.GET.get("against", ""))
        context |= {"asked": query, "left": left, "right": right, "carried": _carried(query)}
        if query.asks and len(live) > 1:
            context["found"] = compare(query, left, right, user)
    except BadQuery as error:
        return render(request, "search/compare.html", {"problems": list(error.fields.values())}, status=400)
    return render(request, "search/compare.html", context)


def _two_of(slugs: list[str], left: str, right: str) -> tuple[str, str]:
    """The named ones; without names the searched space, and the newest of the others."""
    left = left or next(iter(slugs), "")
    return left, right or next((slug for slug in slugs if slug != left), "")


def _carried(query: Query) -> list[tuple[str, str]]:
    """What the form of the page does not ask itself."""
    asked = {"q", "space", "offset", "limit", "cursor"}
    return [(name, value) for name, value in query.params().items() if name not in asked]


@visible_only
@require_safe
def facets(request: HttpRequest) -> HttpResponse:
    """What the relevant set is made of: a sheet that is fetched when somebody opens it."""
    try:
        query = Query.from_params(request.GET.dict())
        counted = count_facets(query, person(request))
    except (BadQuery, NotAnswered) as error:
        return render(request, "search/_facets.html", {"trouble": str(error)})
    groups = [
        (title, [(value.label, value.count, query.but(**value.changes).url()) for value in values])
        for title, values in (
            ("Collections", counted.collections),
            ("Tags", counted.tags),
            ("Years", counted.years),
            ("Kinds", counted.kinds),
        )
        if len(values) > 1 or title == "Tags"
    ]
    return render(request, "search/_facets.html", {"groups": groups, "facets": counted})


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


@visible_only
@require_safe
def which(request: HttpRequest, asset: uuid.UUID) -> HttpResponse:
    """Which of some labels an asset is: a part of its page for htmx, else a page of its own."""
    user = person(request)
    context: dict[str, Any] = {"asset": find_seen(user, asset), "labels": request.GET.get("labels", "")[:8000]}
    status = 200
    if context["labels"]:
        try:
            found = classify_asset(asset, user, read_names(context["labels"]))
            context |= {"guesses": found.rows[0][1], "independent": found.space.logit_bias is not None}
        except BadQuery as error:
            context["trouble"], status = " ".join(error.fields.values()), 400
        except UnknownAsset as error:  # it lies in the trash
            raise Http404 from error
        except NotAnswered as error:
            context["trouble"], status = str(error), error.status
    part = request.headers.get("HX-Request")
    response = render(
        request, "search/_which.html" if part else "search/which.html", context, status=200 if part else status
    )
    patch_vary_headers(response, ["HX-Request"])
    return response


@self_only
@require_POST
def search_picture(request: HttpRequest) -> HttpResponse:
    """A reference picture comes in; the answer is the address of its search."""
    file = request.FILES.get("picture")
    try:
        if file is None:
            return _refused(request, "No picture came along. Choose one, or drop it on the page.", 400)
        if isinstance(file, RefusedFile):
            raise file.refusal
        query = Query.from_params(request.GET.dict())
        key = keep_picture(file, person(request))
    except BadQuery as error:
        return _refused(request, str(error), 400)
    except DecoderError as error:
        return _refused(request, str(error), 415)
    except (TooLarge, StorageFull) as error:
        return _refused(request, str(error), 413)
    except NotAnswered as error:
        return _refused(request, str(error), 503)
    return redirect(query.but(picture=key).url())


def _refused(request: HttpRequest, sentence: str, status: int) -> HttpResponse:
    return render(request, "search/picture_refused.html", {"sentence": sentence}, status=status)


@visible_only
@require_safe
def search_picture_shown(request: HttpRequest, key: str) -> HttpResponse:
    """A reference picture, for the one who brought it, and for who sees a saved search with it: small, or as a whole
    to draw a box on it."""
    found = find_picture(key, person(request))
    if found is None:
        raise Http404
    whole = "whole" in request.GET
    headers = {"Cache-Control": "private, max-age=600", "X-Content-Type-Options": "nosniff"}
    data, media_type = (found.rendition, "image/jpeg") if whole else (found.thumbnail, "image/webp")
    return HttpResponse(data, content_type=media_type, headers=headers)

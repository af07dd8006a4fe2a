"""The page between "all of these" and doing it: how many, which, and what shall be done."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db.models import Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from archive.access import person, visible_only
from archive.batches import SetChanged, make_batch, measure, read_order
from archive.deeds import DEEDS, Refused
from archive.models import Action, Collection
from archive.models.collections import CURATING
from archive.tags import seen_tags
from search.acting import Choice, choose_all, choose_picked
from search.engine import search
from search.failures import NotAnswered, UnknownAsset
from search.query import MAX_DEPTH, BadQuery, Query

STRIP = 12
KNOWN = 200


@visible_only
@require_http_methods(["GET", "HEAD", "POST"])
def act(request: HttpRequest) -> HttpResponse:
    """GET with a query, or POST with the ids of picked ones, shows; POST with an action does it."""
    user = person(request)
    try:
        choice = _choice(request, user)
    except UnknownAsset as error:
        raise Http404 from error
    except BadQuery as error:
        return _no(request, str(error), 400)
    except NotAnswered as error:
        return _no(request, str(error), error.status)
    if request.method != "POST" or "action" not in request.POST:
        return render(request, "search/act.html", _preview(choice, user))
    try:
        return redirect(_do(request, choice, user))
    except Refused as error:
        problem, status = str(error), 400
    except SetChanged as error:
        problem, status = str(error), 409
    context = {**_preview(choice, user), "problem": problem, "opened": request.POST["action"]}
    return render(request, "search/act.html", context, status=status)


def _choice(request: HttpRequest, user: User) -> Choice:
    if "assets" in request.POST:  # even where it is empty: no ids must never mean everything
        return choose_picked(request.POST["assets"].replace(",", " ").split(), user)
    return choose_all(Query.from_params(request.GET.dict()), user)


def _do(request: HttpRequest, choice: Choice, user: User) -> Any:
    sent = request.POST
    arguments = {
        "tags": sent.getlist("tags"),
        "collection": sent.get("collection", "").replace("\0", ""),
        "sidecars": bool(sent.get("sidecars")),
    }
    order = read_order(sent["action"], arguments, user, choice.what, choice.params)
    return make_batch(order, user, choice.assets, sent.get("expected", ""))


def _unsure(choice: Choice, user: User) -> bool:
    """Whether none of them matches well."""
    try:
        return choice.ranked and search(choice.query.but(limit=1), user).nothing_well
    except NotAnswered:  # what was chosen stands all the same
        return False


def _preview(choice: Choice, user: User) -> dict[str, Any]:
    """What is shown before anything is done. `yours` are those that the person may change.

    `unsure`: none of them matches well. `capped`: a ranking ends there, and more may match.
    """
    seen = measure(choice.assets)
    places = Collection.objects.open_to(user, CURATING)
    curates = places.exists()
    yours = measure(choice.assets.filter(pk__in=DEEDS[Action.TRASH].open_to(user).order_by().values("pk")))
    return {
        "choice": choice,
        "seen": seen,
        "yours": yours,
        "unsure": _unsure(choice, user),
        "capped": choice.ranked and seen.count >= MAX_DEPTH,
        "curates": curates,
        "some": choice.assets.select_related("collection").defer("exif", "notes")[:STRIP],
        "more": max(0, seen.count - STRIP),
        "size": choice.assets.order_by().aggregate(all=Sum("size"))["all"] or 0,
        "places": places,
        "known_tags": seen_tags(user)[:KNOWN] if yours.count else (),
        "back": choice.query.url() if not choice.picked else "",
    }


def _no(request: HttpRequest, sentence: str, status: int) -> HttpResponse:
    return render(request, "search/act_refused.html", {"sentence": sentence}, status=status)

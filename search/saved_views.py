"""Saved searches: save one, the list, and the page on which one is changed, shared, and waited for."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from archive.access import person, visible_only
from archive.models import Alert, AlertMode, Collection, SavedSearch
from search.acting import describe
from search.alerts import find_alert, switch_off, switch_on
from search.alerts_backtest import back_test
from search.alerts_hooks import find_hook, last_deliveries, set_hook, try_again
from search.alerts_http import RefusedAddress
from search.failures import SEED_GONE, NotAnswered, UnknownAsset
from search.query import BadQuery, Mode, Query
from search.saved import change, find_seen_search, may_change, query_of, read_collection, save_search


@visible_only
@require_http_methods(["GET", "HEAD", "POST"])
def saved_searches(request: HttpRequest) -> HttpResponse:
    """The list; POST with a query in the address saves it."""
    user = person(request)
    if request.method == "POST":
        return _save(request, user)
    return render(request, "search/saved.html", _listed(user))


def _save(request: HttpRequest, user: User) -> HttpResponse:
    try:
        query = Query.from_params(request.GET.dict())
        collection = read_collection(request.POST.get("collection", ""), user)
        made = save_search(query, request.POST.get("name", ""), user, collection)
    except UnknownAsset as error:
        raise Http404 from error
    except (BadQuery, NotAnswered) as error:
        status = error.status if isinstance(error, NotAnswered) else 400
        return render(request, "search/saved.html", {**_listed(user), "problem": str(error)}, status=status)
    if request.POST.get("alert"):
        switch_on(made, user)
    messages.success(request, f"Saved as “{made}”.")
    return redirect(made)


def _listed(user: User) -> dict[str, Any]:
    seen = SavedSearch.objects.visible_to(user).select_related("owner", "collection").defer("picture", "stamp")
    alerting = set(Alert.objects.filter(person=user, active=True).values_list("search", flat=True))
    mine: list[dict[str, Any]] = []
    shared: list[dict[str, Any]] = []
    for one in seen:
        row = {"saved": one, "what": _in_words(one, user), "alert": one.pk in alerting}
        (mine if one.owner_id == user.pk else shared).append(row)
    return {"mine": mine, "shared": shared, "here": "saved"}


def _in_words(saved: SavedSearch, user: User) -> str:
    try:
        return describe(query_of(saved), user)
    except BadQuery as error:
        return str(error)


@visible_only
@require_http_methods(["GET", "HEAD", "POST"])
def edit_saved(request: HttpRequest, saved: uuid.UUID) -> HttpResponse:
    """Its name and whom it is shared with: for who may change it. Everybody who sees it may have an alert on it."""
    user = person(request)
    found = find_seen_search(user, saved)
    if request.method != "POST":
        return render(request, "search/saved_edit.html", _around(found, user))
    if not may_change(found, user):
        raise Http404
    try:
        collection = read_collection(request.POST.get("collection", ""), user)
        change(found, name=request.POST.get("name", ""), collection=collection)
    except BadQuery as error:
        fresh = find_seen_search(user, saved)
        context = {**_around(fresh, user), "problems": error.fields, "typed": request.POST.get("name", "")}
        return render(request, "search/saved_edit.html", context, status=400)
    messages.success(request, "Saved.")
    return redirect("edit_saved", saved=saved)


@visible_only
@require_POST
def delete_saved(request: HttpRequest, saved: uuid.UUID) -> HttpResponse:
    user = person(request)
    found = find_seen_search(user, saved)
    if not may_change(found, user):
        raise Http404
    found.delete()
    messages.success(request, f"“{found}” is deleted. Its pictures are where they were.")
    return redirect("saved_searches")


@visible_only
@require_POST
def set_alert(request: HttpRequest, saved: uuid.UUID) -> HttpResponse:
    user = person(request)
    found = find_seen_search(user, saved)
    mode = request.POST.get("mode", AlertMode.BALANCED)
    if request.POST.get("do") == "off":
        switch_off(found, user)
        messages.success(request, "The alert is off.")
    elif mode not in AlertMode.values:
        messages.error(request, f"Where relevance ends is one of: {', '.join(AlertMode.values)}.")
    else:
        switch_on(found, user, mode, by_mail="mail" in request.POST)
        messages.success(request, "You are told when something new matches.")
    return redirect("edit_saved", saved=saved)


@visible_only
@require_safe
def test_alert(request: HttpRequest, saved: uuid.UUID) -> HttpResponse:
    """What the alert would have given lately; a part of a page, and a page without htmx."""
    user = person(request)
    found = find_seen_search(user, saved)
    context: dict[str, Any] = {"saved": found}
    mode = request.GET.get("mode", AlertMode.BALANCED)
    try:
        if mode not in AlertMode.values:
            raise BadQuery({"mode": f"Where relevance ends is one of: {', '.join(AlertMode.values)}."})
        context["test"] = back_test(query_of(found), user, Mode(mode))
    except UnknownAsset:
        context["trouble"] = SEED_GONE
    except (BadQuery, NotAnswered) as error:
        context["trouble"] = str(error)
    template = "search/_saved_test.html" if request.headers.get("HX-Request") else "search/saved_test.html"
    return render(request, template, context)


@visible_only
@require_POST
def set_webhook(request: HttpRequest, saved: uuid.UUID) -> HttpResponse:
    """Set, take away, or try again what failed. The secret is in this answer and in no other."""
    user = person(request)
    found = find_seen_search(user, saved)
    alert = find_alert(found, user)
    if alert is None:
        messages.error(request, "Switch the alert on first.")
        return redirect("edit_saved", saved=saved)
    hook, do = find_hook(alert), request.POST.get("do", "")
    if do == "set":
        try:
            _, secret = set_hook(alert, request.POST.get("url", ""))
        except RefusedAddress as error:
            context = {**_around(found, user), "refused": str(error), "typed_url": request.POST.get("url", "")}
            return render(request, "search/saved_edit.html", context, status=400)
        response = render(request, "search/saved_edit.html", {**_around(found, user), "secret": secret})
        response.headers["Cache-Control"] = "no-store"
        return response
    if hook and do == "remove":
        hook.delete()
    elif hook and do == "again":
        try_again(hook)
    return redirect(reverse("edit_saved", args=[saved]) + "#webhook")


def _around(found: SavedSearch, user: User) -> dict[str, Any]:
    alert = find_alert(found, user)
    hook = find_hook(alert)
    return {
        "saved": found,
        "what": _in_words(found, user),
        "own": may_change(found, user),
        "places": Collection.objects.visible_to(user),
        "alert": alert,
        "modes": AlertMode.choices,
        "mode": alert.mode if alert else AlertMode.BALANCED,
        "hook": hook,
        "deliveries": last_deliveries(hook) if hook else [],
    }

"""Who may come in, and what they may see: the two questions that every page begins with.

Every view declares what it shows: pages by a decorator of this module, views of the API and of the
admin by their attribute `shows`. A test walks through all addresses and lets none pass without.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import resolve_url

from archive.models import Asset

View = Callable[..., HttpResponseBase]
SIGNED_OUT = "You were logged out. Log in again, then repeat it."


class Shows(StrEnum):
    """What a view lets out."""

    PUBLIC = "public"  # the same to everybody, logged in or not: nothing of the archive
    SELF = "self"  # what is the asker's own, or nobody's
    VISIBLE = "visible_to"  # what `visible_to` and `curated_by` give to the asker, and nothing else


def public(view: View) -> View:
    return _declare(view, Shows.PUBLIC)


def self_only(view: View) -> View:
    return _declare(signed_in(view), Shows.SELF)


def visible_only(view: View) -> View:
    return _declare(signed_in(view), Shows.VISIBLE)


def _declare(view: View, shows: Shows) -> View:
    view.shows = shows  # type: ignore[attr-defined]
    return view


def signed_in(view: View) -> View:
    """Only for people who are logged in. Others get the log-in page, in the form that the asker can use.

    Views say `self_only` or `visible_only`, which begin with this.
    A fragment asked for by htmx must not become a log-in form inside a grid, and a script that
    asked for JSON must not read HTML.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if wants_json(request):
            return JsonResponse({"error": {"code": "signed_out", "message": SIGNED_OUT, "fields": {}}}, status=401)
        if request.headers.get("HX-Request"):
            return HttpResponse(status=204, headers={"HX-Redirect": resolve_url(settings.LOGIN_URL)})
        return redirect_to_login(request.get_full_path())

    return guarded


def wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


def person(request: HttpRequest) -> User:
    """The one who asks, for views behind `signed_in`."""
    assert isinstance(request.user, User)
    return request.user


def find_seen(user: User, asset: uuid.UUID) -> Asset:
    """An asset that `user` may look at; curators also see what lies in the trash. Anything else is a 404."""
    visible, curated = Asset.objects.visible_to(user), Asset.objects.curated_by(user)
    seen = Asset.objects.filter(Q(pk__in=visible.values("pk")) | Q(pk__in=curated.values("pk")), uuid=asset)
    found = seen.select_related("collection", "uploader").first()
    if found is None:
        raise Http404
    return found


def find_curated(user: User, asset: uuid.UUID) -> Asset:
    """An asset that `user` may edit. What is seen but not curated is a 404 too: the page shows no such button."""
    found = Asset.objects.curated_by(user).filter(uuid=asset).first()
    if found is None:
        raise Http404
    return found

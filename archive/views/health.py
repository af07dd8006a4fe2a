"""Alive and ready, for load balancers and for `manage.py up`. Public, so it counts nothing."""

from __future__ import annotations

from datetime import timedelta

from django.core.cache import cache
from django.db import DatabaseError, InterfaceError
from django.db.models.functions import Now
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis import RedisError

from archive import signs
from archive.access import public
from archive.models import Space, Work, WorkState

PATIENCE = timedelta(minutes=2)


@public
@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """200 as long as Postgres answers: without Redis or workers, pages and uploads still work.

    `queries`: a search by words finds its model loaded, or no space is searched; false for seconds after a start.
    """
    try:
        workers, queries = _work_moves(), _words_are_read()
        database = True
    except (DatabaseError, InterfaceError):
        workers = queries = database = False
    redis = _redis_answers()
    answer = {"ok": database, "database": database, "redis": redis, "workers": workers, "queries": queries}
    return JsonResponse(answer, status=200 if database else 503)


def _work_moves() -> bool:
    """Nothing has waited for long, or somebody is at it."""
    if not Work.objects.filter(state=WorkState.READY, not_before__lt=Now() - PATIENCE).exists():
        return True
    return Work.objects.filter(state=WorkState.RUNNING, lease_until__gt=Now()).exists()


def _words_are_read() -> bool:
    space = Space.objects.active()
    return space is None or signs.is_ready(space.fingerprint)


def _redis_answers() -> bool:
    try:
        cache.has_key("healthz")
    except (RedisError, OSError):
        return False
    return True

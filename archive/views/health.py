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

from archive.access import public
from archive.models import Work, WorkState

PATIENCE = timedelta(minutes=2)


@public
@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """200 as long as Postgres answers: without Redis or workers, pages and uploads still work."""
    try:
        workers = _work_moves()
        database = True
    except (DatabaseError, InterfaceError):
        workers = database = False
    answer = {"ok": database, "database": database, "redis": _redis_answers(), "workers": workers}
    return JsonResponse(answer, status=200 if database else 503)


def _work_moves() -> bool:
    """Nothing has waited for long, or somebody is at it."""
    if not Work.objects.filter(state=WorkState.READY, not_before__lt=Now() - PATIENCE).exists():
        return True
    return Work.objects.filter(state=WorkState.RUNNING, lease_until__gt=Now()).exists()


def _redis_answers() -> bool:
    try:
        cache.has_key("healthz")
    except (RedisError, OSError):
        return False
    return True

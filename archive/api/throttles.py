"""How much one person may ask for: rates by what a view does (`throttle_scope`), counted in the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.cache.backends.locmem import LocMemCache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import ScopedRateThrottle

if TYPE_CHECKING:  # its module reads the settings that name this class
    from rest_framework.views import APIView

EVERYTHING_ELSE = "api"

# Without Redis each web process counts by itself: looser, but still a limit.
_here = LocMemCache("throttles", {})


class PersonThrottle(ScopedRateThrottle):
    """A rate for each person, and for each address where nobody is logged in."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        if not getattr(view, self.scope_attr, None):
            view.throttle_scope = EVERYTHING_ELSE  # type: ignore[attr-defined]
        try:
            return super().allow_request(request, view)
        except (RedisError, OSError):
            self.cache = _here
            return super().allow_request(request, view)

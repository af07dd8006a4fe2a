"""Redis for what a request asks on its way: half a second at most, and no second try, for nobody waits for an aside."""

from __future__ import annotations

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

SECONDS = 0.5

_redis: Redis | None = None


def quick_redis() -> Redis:
    global _redis  # noqa: PLW0603  (one connection pool a process)
    if _redis is None:
        _redis = Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=SECONDS, socket_timeout=SECONDS, retry=Retry(NoBackoff(), 0)
        )
    return _redis

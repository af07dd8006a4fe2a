"""Signs of life of the queries workers, in Redis: whoever waits for an answer tells a worker that loads its model, or
works through many questions, from one that hangs.

A model is marked as ready when it has read something, and not any more when a worker begins to load it. That somebody
answered lately is a key that goes by itself.
"""

from __future__ import annotations

from django.conf import settings
from redis import Redis
from redis.client import Pipeline
from redis.exceptions import RedisError

from archive.quick_redis import quick_redis

READY = "sightline:queries:ready"  # a hash: fingerprints of the models that are at hand
LIVELY = "sightline:queries:lively"
A_DAY = 86_400
A_TEXT = 0.1  # seconds; of a large model on a slow machine


def patience(texts: int = 1) -> float:
    """Seconds in which a worker with its model at hand answers a question, or hangs."""
    wanted = settings.SIGHTLINE_QUERY_PATIENCE + A_TEXT * (texts - 1)
    return float(min(wanted, settings.SIGHTLINE_QUERY_TIMEOUT))


def mark_ready(redis: Redis | Pipeline, fingerprint: str) -> None:
    """It has just read something."""
    redis.hset(READY, fingerprint, "1")
    redis.expire(READY, A_DAY)
    mark_lively(redis)


def mark_lively(redis: Redis | Pipeline, texts: int = 1) -> None:
    redis.set(LIVELY, "1", px=max(1, round(patience(texts) * 1000)))


def mark_loading(redis: Redis, fingerprint: str) -> None:
    redis.hdel(READY, fingerprint)


def mark_started(redis: Redis) -> None:
    """A worker that starts has nothing at hand; others say so again with their next answer."""
    redis.delete(READY)


def hangs(redis: Redis, fingerprint: str) -> bool:
    """Whether a question that was asked `patience` ago will find no answer."""
    with redis.pipeline(transaction=False) as pipe:
        pipe.hexists(READY, fingerprint)
        pipe.exists(LIVELY)
        ready, lively = pipe.execute()
    return bool(ready) and not lively


def is_ready(fingerprint: str) -> bool:
    """Whether some worker has read with that model, and has not begun to load it anew since. False without Redis."""
    try:
        return bool(quick_redis().hexists(READY, fingerprint))
    except (RedisError, OSError):
        return False

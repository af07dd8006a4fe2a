"""How many new questions a person may ask of the model: each costs a forward pass, which keeps it from others.

A token bucket in Redis for each person, and a larger one for each address: a minute's worth is at hand, and comes back
evenly. Who asks is known for as long as a request is answered (`archive.middleware.count_questions`); commands, workers
and the API, which has rates of its own, ask without being counted.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from redis.exceptions import RedisError

from archive.quick_redis import quick_redis

log = logging.getLogger(__name__)
# An office, or a proxy that does not tell who its visitors are, is one address.
AN_ADDRESS_MAY = 10
SECONDS = 60.0

# Takes one from every bucket or from none. KEYS: the buckets; ARGV: how much each holds, and how many seconds fill it.
# Returns the seconds until all of them have one again, as text; "0" when one was taken.
TAKE = """
local time = redis.call('TIME')
local now, seconds, wait, left = time[1] + time[2] / 1e6, tonumber(ARGV[#KEYS + 1]), 0, {}
for n, key in ipairs(KEYS) do
  local size = tonumber(ARGV[n])
  local kept = redis.call('HMGET', key, 'left', 'at')
  left[n] = math.min(size, (tonumber(kept[1]) or size) + math.max(0, now - (tonumber(kept[2]) or now)) * size / seconds)
  wait = math.max(wait, (1 - left[n]) * seconds / size)
end
if wait > 0 then return string.format('%.3f', wait) end
for n, key in ipairs(KEYS) do
  redis.call('HSET', key, 'left', string.format('%.6f', left[n] - 1), 'at', string.format('%.6f', now))
  redis.call('PEXPIRE', key, math.ceil(seconds * 1000))
end
return '0'
"""


class AskedTooOften(Exception):
    """`wait`: whole seconds until the next new question is answered."""

    def __init__(self, wait: float) -> None:
        super().__init__(f"Asked too often; the next question is answered in {math.ceil(wait)} seconds.")
        self.wait = math.ceil(wait)


@dataclass
class Asker:
    """Whoever sent a request. `wait`: for how long they were put off, if they were."""

    request: HttpRequest
    wait: int = 0


_asker: ContextVar[Asker | None] = ContextVar("asker", default=None)


@contextmanager
def asking(request: HttpRequest) -> Iterator[Asker]:
    """What is asked inside is asked by whoever sent `request`."""
    asker = Asker(request)
    token = _asker.set(asker)
    try:
        yield asker
    finally:
        _asker.reset(token)


def count_question() -> None:
    """Called before a question goes to a worker. Raises `AskedTooOften`."""
    asker, limit = _asker.get(), settings.SIGHTLINE_QUESTION_LIMIT
    if asker is None or limit <= 0:
        return
    wait = take(_buckets(asker.request, limit))
    if wait > 0:
        error = AskedTooOften(wait)
        asker.wait = error.wait
        raise error


def take(buckets: dict[str, int], seconds: float = SECONDS) -> float:
    """One from each of `buckets`, {name: how much it holds}, which `seconds` fill; else the seconds to wait.

    Without Redis nothing is counted: the question itself goes through Redis, and will not arrive.
    """
    if not buckets:
        return 0.0
    names = [f"sightline:asked:{name}" for name in buckets]
    try:
        found = quick_redis().eval(TAKE, len(names), *names, *buckets.values(), seconds)
    except (RedisError, OSError) as error:
        log.warning("questions are not counted: %s", error)
        return 0.0
    return float(found)


def _buckets(request: HttpRequest, limit: int) -> dict[str, int]:
    user, address = getattr(request, "user", None), address_of(request)
    found = {f"person:{user.pk}": limit} if user is not None and user.is_authenticated else {}
    return {**found, f"address:{address}": limit * AN_ADDRESS_MAY} if address else found


def address_of(request: HttpRequest) -> str:
    """The visitor's, as the proxies in front tell it (SIGHTLINE_PROXIES), not as visitors may write it."""
    proxies = settings.REST_FRAMEWORK["NUM_PROXIES"]
    told = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    if proxies and told:
        return str(told[-min(proxies, len(told))])
    return str(request.META.get("REMOTE_ADDR") or "")

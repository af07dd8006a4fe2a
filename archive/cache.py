"""What goes into the cache and comes out of it: bytes and JSON, never pickle.

Whoever can write to Redis could run code in every process that unpickles from it.
"""

from typing import Any

import orjson
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis import Redis


class PlainSerializer:
    """Numbers stay numbers (Redis counts with them), bytes are marked, the rest is JSON."""

    def dumps(self, obj: Any) -> Any:
        if type(obj) is int:
            return obj
        return b"b" + obj if isinstance(obj, bytes) else b"j" + orjson.dumps(obj)

    def loads(self, data: bytes) -> Any:
        kind, rest = data[:1], data[1:]
        if kind == b"b":
            return rest
        return orjson.loads(rest) if kind == b"j" else int(data)


class KeptClient(RedisCacheClient):
    """Django makes a client of redis-py for each question, which takes twice as long as to ask it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._kept: dict[bool, Redis] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Redis:
        if write not in self._kept:
            self._kept[write] = super().get_client(key, write=write)
        return self._kept[write]


class QuickCache(RedisCache):
    """Redis by one client a thread."""

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = KeptClient

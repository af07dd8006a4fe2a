"""What goes into the cache and comes out of it: bytes and JSON, never pickle.

Whoever can write to Redis could run code in every process that unpickles from it.
"""

from typing import Any

import orjson


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

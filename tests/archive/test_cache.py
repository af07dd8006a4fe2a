"""The cache: Redis by one client a thread, and nothing pickled."""

from __future__ import annotations

import threading
from typing import Any

from django.core.cache import cache, caches


def clients() -> list[Any]:
    kept: Any = caches["default"]
    return [kept._cache.get_client("one", write=write) for write in (False, True, False, True)]


def test_it_asks_by_the_client_that_it_has() -> None:
    read, written, *again = clients()
    assert [id(one) for one in again] == [id(read), id(written)]
    assert read.connection_pool is written.connection_pool


def test_each_thread_has_its_own() -> None:
    others: list[Any] = []
    thread = threading.Thread(target=lambda: others.extend(clients()))
    thread.start()
    thread.join()
    assert others
    assert {id(one) for one in others}.isdisjoint(id(one) for one in clients())


def test_what_goes_in_comes_out_also_after_a_lost_connection() -> None:
    cache.set("test-cache", {"a": [1, 2.5, "ü", None]}, 60)
    cache.set("test-cache-bytes", b"\x00\xff", 60)
    cache.set("test-cache-number", 7, 60)
    clients()[0].connection_pool.disconnect()
    assert cache.get("test-cache") == {"a": [1, 2.5, "ü", None]}
    assert cache.get("test-cache-bytes") == b"\x00\xff"
    assert cache.incr("test-cache-number") == 8
    cache.delete_many(["test-cache", "test-cache-bytes", "test-cache-number"])
    assert cache.get("test-cache", "gone") == "gone"

"""Asking the database for one thing while it works on another: on a connection of its own, where one is free."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from django.db import OperationalError, close_old_connections, connection

# So many of the searches that a process answers at once have a second connection; the others ask for one thing after
# the other.
MOST = 2

Answered = TypeVar("Answered")

_free = threading.BoundedSemaphore(MOST)


class NoConnection(Exception):
    """The server gave no second one."""


def meanwhile(ask: Callable[[], Answered]) -> Callable[[], Answered]:
    """Begin to `ask`, and return what waits for the answer, or raises what asking raised.

    Beside the caller only where connections are kept (in the web process): making one takes longer than is won. Inside
    a transaction another connection would not see what that wrote. `ask` must not share querysets with whoever goes on,
    for to compile one changes it for a moment: SQL it may (`compile_candidates`).
    """
    begun = _begun(ask) if connection.settings_dict["CONN_MAX_AGE"] != 0 and not connection.in_atomic_block else None
    if begun is None:
        found = ask()
        return lambda: found

    def wait() -> Answered:
        try:
            return begun.result()
        except NoConnection:
            return ask()

    return wait


def _begun(ask: Callable[[], Answered]) -> Future[Answered] | None:
    """None where both connections are busy, or the system has no thread left."""
    if not _free.acquire(blocking=False):
        return None
    try:
        return _threads().submit(_asked, ask)
    except RuntimeError:
        _free.release()
        return None


def _asked(ask: Callable[[], Answered]) -> Answered:
    """As a request begins and ends: what was lost meanwhile, or is old, is made anew."""
    try:
        close_old_connections()
        try:
            connection.close_if_health_check_failed()
            connection.ensure_connection()
        except OperationalError as error:
            raise NoConnection from error
        return ask()
    finally:
        try:
            close_old_connections()
        finally:
            _free.release()


@cache
def _threads() -> ThreadPoolExecutor:
    """Made at the first question, so behind whatever forks a process that answers some: threads survive no fork."""
    return ThreadPoolExecutor(MOST, thread_name_prefix="meanwhile")

"""Statements that write nothing, with settings and a limit of their own, of which nothing stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, ProgrammingError, connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg.errors import QueryCanceled, UndefinedTable

from search.failures import SpaceGone, TooSlow

# hnsw.ef_search, hnsw.max_scan_tuples and hnsw.scan_mem_multiplier stand in the way of long answers when left alone:
# at its default of 40, HNSW returns 40 rows whatever the LIMIT; and what it meets on the way and does not return yet
# has to fit into work_mem, or is forgotten.
# How widely it looks grows with the size of the graph: see `effort`.
EF_LEAST = 400
SCAN_TUPLES = 40_000
# What a statement may take, so that no question keeps the database from everybody else's.
WITHIN_MS = 3000

Params = Mapping[str, Any] | Sequence[Any]


def settings(ef: int = EF_LEAST, tuples: int = SCAN_TUPLES, within_ms: int | None = None, *, jit: bool = True) -> str:
    """A statement that sets what holds until its transaction ends. No `within_ms`: as long as others may take."""
    values = {
        "hnsw.iterative_scan": "relaxed_order",
        "hnsw.ef_search": ef,
        "hnsw.max_scan_tuples": tuples,
        "hnsw.scan_mem_multiplier": 8,
        "plan_cache_mode": "force_custom_plan",
        **({} if within_ms is None else {"statement_timeout": f"{within_ms}ms"}),
        **({} if jit else {"jit": "off"}),
    }
    return "SELECT " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in values.items())


@contextmanager
def reading() -> Iterator[CursorWrapper]:
    """A cursor for settings (SET LOCAL) and statements that write nothing: whatever is done here is taken back.

    SET LOCAL lasts until the outermost transaction ends, unless the savepoint that it was said in is rolled back
    (https://www.postgresql.org/docs/current/sql-set.html).
    """
    inside = connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        yield cursor
        if inside:
            transaction.set_rollback(True)


@contextmanager
def tables_that_may_go() -> Iterator[None]:
    """A space can be retired between the moment in which it was chosen and the statement that reads it."""
    try:
        yield
    except ProgrammingError as error:
        if isinstance(error.__cause__, UndefinedTable):
            raise SpaceGone from error
        raise


@contextmanager
def what_may_end_early() -> Iterator[None]:
    """Raises `TooSlow` for a statement that was stopped, and `SpaceGone`."""
    try:
        with tables_that_may_go():
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TooSlow from error
        raise


@contextmanager
def limited_to(within_ms: int) -> Iterator[CursorWrapper]:
    """A cursor for statements that write nothing, each of which may take so long. Raises `TooSlow` behind that, and
    `SpaceGone`."""
    with what_may_end_early(), reading() as cursor:
        cursor.execute(settings(within_ms=within_ms))
        yield cursor


def read_rows(
    sql: str, params: Params, within_ms: int, ef: int = EF_LEAST, tuples: int = SCAN_TUPLES, *, jit: bool = True
) -> list[tuple[Any, ...]]:
    """The rows of one statement that writes nothing and may take so long. Raises as `limited_to` does.

    Sent together with its settings, which saves three ways to the server and back: what is sent at once is a
    transaction of its own (https://www.postgresql.org/docs/current/protocol-flow.html, "Multiple Statements in a
    Simple Query"). Inside another transaction the settings would stay; and a prepared statement is only one.
    """
    said = settings(ef, tuples, within_ms, jit=jit)
    with what_may_end_early():
        if connection.in_atomic_block or connection.settings_dict["OPTIONS"].get("server_side_binding"):
            with reading() as cursor:
                cursor.execute(said)
                cursor.execute(sql, params)
                return list(cursor.fetchall())
        with connection.cursor() as cursor:
            cursor.execute(f"{said};\n{sql}", params)
            cursor.nextset()
            return list(cursor.fetchall())

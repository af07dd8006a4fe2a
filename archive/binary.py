"""A cursor that sends vectors as Postgres keeps them: 1.5 kB each, where text has 7 to write, to quote and to parse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from django.db import connection
from pgvector import HalfVector
from pgvector.psycopg.halfvec import HalfVectorBinaryDumper
from psycopg import Connection, Cursor
from psycopg.types import TypeInfo

_known: WeakKeyDictionary[Connection[Any], TypeInfo] = WeakKeyDictionary()  # each database numbers its types itself


@contextmanager
def binary_cursor() -> Iterator[Cursor[Any]]:
    """On Django's connection and in its transaction, but with parameters beside the statement, not inside of it:
    `%(name)b` with a list of `pgvector.HalfVector` is a `halfvec[]`."""
    connection.validate_no_broken_transaction()
    with connection.cursor() as opened, connection.wrap_database_errors, Cursor(opened.connection) as cursor:
        raw: Connection[Any] = opened.connection
        if raw not in _known:
            _known[raw] = _halfvec(raw)
        info = _known[raw]
        info.register(cursor)
        cursor.adapters.register_dumper(HalfVector, _dumper(info.oid))
        yield cursor


@cache
def _dumper(oid: int) -> type[HalfVectorBinaryDumper]:
    """One class for each: psycopg keeps whatever it was ever shown."""
    return type("HalfVectorDumper", (HalfVectorBinaryDumper,), {"oid": oid})


def _halfvec(raw: Connection[Any]) -> TypeInfo:
    found = TypeInfo.fetch(raw, "halfvec")
    if found is None:
        raise RuntimeError("This database has no type halfvec: pgvector 0.7 or later is missing.")
    return found

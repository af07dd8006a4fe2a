"""A transaction to read in, of which no setting stays: not even inside another transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper


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

"""Emptying the database after a test that committed: what Django's flush does, in a tenth of the time.

Flush truncates every table, with all its indexes, and makes permissions and content types anew. After most tests a
handful of tables has a few rows. And the partitions of spaces that are gone would be truncated with each test to come.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.db import connection, transaction
from django.test import TransactionTestCase

KEPT = {"django_migrations", "django_content_type", "auth_permission"}
PARTITIONED = ("archive_embedding", "archive_clipembedding")
PARTITIONS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent::regclass::text = ANY(%s)"


def empty_database(self: TransactionTestCase) -> None:
    """In the place of `TransactionTestCase._fixture_teardown`."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(PARTITIONS, [list(PARTITIONED)])
        if partitions := [name for (name,) in cursor.fetchall()]:
            cursor.execute(f"DROP TABLE IF EXISTS {', '.join(partitions)}")
        cursor.execute(_filled())
        # Foreign keys are checked at the end, when all is gone.
        for (table,) in cursor.fetchall():
            cursor.execute(f'DELETE FROM "{table}"')


@cache
def _filled() -> str:
    """Which tables have rows."""
    tables: list[Any] = connection.introspection.django_table_names(only_existing=True, include_views=False)
    emptied = sorted(set(tables) - KEPT - set(PARTITIONED))
    return " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT FROM \"{table}\")" for table in emptied)


def empty_quickly() -> None:
    TransactionTestCase._fixture_teardown = empty_database  # type: ignore[attr-defined]

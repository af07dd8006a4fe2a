"""The tables of a space: one partition for the vectors of frames, one for those of whole videos."""

from __future__ import annotations

import time

from django.db import OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected, LockNotAvailable

from archive.models import Space

TABLES = ("archive_embedding", "archive_clipembedding")
# While a statement waits for such a lock, everything that comes after it waits too. So it waits shortly, and often.
LOCK_MS = 150
PAUSE_SECONDS = 0.4
PATIENCE_SECONDS = 30.0


class ArchiveBusy(Exception):
    def __init__(self) -> None:
        super().__init__("The archive is too busy to make room for a new space, or is being dumped. Try again later.")


def partition(space: Space, table: str = "archive_embedding") -> str:
    """The name of a space's partition: from its id, so no name of a user reaches SQL."""
    return f"{table}_{int(space.pk)}"


def make_partitions(space: Space) -> None:
    """Both or none at a time: with one made and kept, waiting for the other would stand in an upload's way for ever."""
    made = [
        f"CREATE TABLE {partition(space, table)} PARTITION OF {table} FOR VALUES IN ({space.pk:d})" for table in TABLES
    ]
    if not _in_a_free_moment(made):
        raise ArchiveBusy


def hold_live() -> list[str]:
    """The slugs of the spaces that new work is written for; none is added until this transaction ends.

    Else whoever prepares an asset while a space is being made would not see the space, and whoever fills the space
    would not see the asset. `make_partitions` needs archive_space without writers, so it waits for us, or we for it.
    """
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE archive_space IN ROW EXCLUSIVE MODE")
    return list(Space.objects.live().values_list("slug", flat=True))


def has_partitions(space: Space) -> bool:
    """Whether any of its tables is there."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT to_regclass(%s) IS NOT NULL OR to_regclass(%s) IS NOT NULL",
            [partition(space, table) for table in TABLES],
        )
        (found,) = cursor.fetchone() or (False,)
    return bool(found)


def drop_partitions(space: Space, patience: float = PATIENCE_SECONDS) -> bool:
    """Free the disk of a space in an instant; returns whether they are gone.

    A plain DROP, not DETACH CONCURRENTLY first. Seen in pg_locks: the DROP of a partition locks itself and its
    parent, which no search names. A detached table has foreign keys of its own, and dropping it locks
    archive_asset, archive_frame and archive_space too, which all searches read. Whoever reads vectors for long
    (a dump) makes it give up; the next round of the workers or of `manage.py doctor --repair` tries again.
    """
    return _in_a_free_moment([f"DROP TABLE IF EXISTS {partition(space, table)}" for table in TABLES], patience)


def _in_a_free_moment(statements: list[str], patience: float = PATIENCE_SECONDS) -> bool:
    """Run what needs tables for itself alone; False when others would not let it for `patience` seconds."""
    until = time.monotonic() + patience
    while not _at_once(statements):
        if time.monotonic() > until:
            return False
        time.sleep(PAUSE_SECONDS)
    return True


def _at_once(statements: list[str]) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_MS}ms'")
            for statement in statements:
                cursor.execute(statement)
            cursor.execute("SET LOCAL lock_timeout = DEFAULT")  # the transaction around this may go on
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable | DeadlockDetected):
            return False
        raise
    return True


def bytes_of(space: Space) -> int:
    """What its tables take on the disk, with their indexes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(pg_total_relation_size(to_regclass(%s)), 0) "
            "+ coalesce(pg_total_relation_size(to_regclass(%s)), 0)",
            [partition(space, table) for table in TABLES],
        )
        (found,) = cursor.fetchone() or (0,)
    return int(found)

"""The HNSW index of a space: built while searches go on, with memory for its size, and checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from archive.models import Space
from archive.spaces.partitions import partition

# About so many bytes a row keep the graph in memory; without them the build is several times slower.
BYTES_A_ROW = 3500
STATE = """
SELECT c.reltuples::bigint,
       coalesce((SELECT i.indisvalid FROM pg_index i WHERE i.indexrelid = to_regclass(%(index)s)), false),
       (SELECT p.blocks_done::float8 / nullif(p.blocks_total, 0)
        FROM pg_stat_progress_create_index p WHERE p.relid = c.oid LIMIT 1)
FROM pg_class c WHERE c.oid = to_regclass(%(partition)s)
"""


class IndexBeingBuilt(Exception):
    """Somebody else builds one, of this space or another: one is built at a time."""


@dataclass(frozen=True)
class IndexState:
    rows: int  # vectors in the space, as Postgres estimates them
    valid: bool  # whether its HNSW index exists and may be used
    built: float | None = None  # the share that is built, while it is


def index_state(space: Space) -> IndexState:
    with connection.cursor() as cursor:
        cursor.execute(STATE, {"index": index_name(space), "partition": partition(space)})
        return IndexState(*(cursor.fetchone() or (0, False)))


def is_building() -> bool:
    """Whether any index of this database is being built."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_stat_progress_create_index WHERE datname = current_database())")
        (found,) = cursor.fetchone() or (False,)
    return bool(found)


def index_name(space: Space) -> str:
    return f"{partition(space)}_hnsw"


def count_rows(space: Space) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {partition(space)}")  # noqa: S608
        (found,) = cursor.fetchone() or (0,)
    return int(found)


def is_large(space: Space) -> bool:
    """Whether it needs an index: below SIGHTLINE_INDEX_FROM rows an exact scan is quick and finds everything."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) >= %(from)s FROM (SELECT 1 FROM {partition(space)} LIMIT %(from)s) AS few",  # noqa: S608
            {"from": settings.SIGHTLINE_INDEX_FROM},
        )
        (found,) = cursor.fetchone() or (False,)
    return bool(found)


def build_index(space: Space) -> bool:
    """Make the HNSW index if the space is large enough to need one; returns whether it has one.

    Not inside a transaction: the index is built CONCURRENTLY, searches and uploads go on. Raises
    `IndexBeingBuilt` where another process is at one: an index that is half built looks like a broken one.
    """
    if index_state(space).valid:
        return True
    if not is_large(space):
        return False
    with only_builder(space), memory_for(count_rows(space)), connection.cursor() as cursor:
        if not index_state(space).valid:
            cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index_name(space)}")
            cursor.execute(
                f"CREATE INDEX CONCURRENTLY {index_name(space)} ON {partition(space)} "
                # Twice the default: built once, and each search finds as much with two thirds of the effort.
                f"USING hnsw (vector halfvec_ip_ops) WITH (ef_construction = 128) WHERE representative"
            )
            cursor.execute(f"ANALYZE {partition(space)}")
    return index_state(space).valid


@contextmanager
def only_builder(space: Space) -> Iterator[None]:
    """One lock for all spaces: a build takes memory, and hours of a worker, of which others must be left.

    It is this connection's and goes with it, so a killed builder leaves none.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('sightline index'), 0)")
        if cursor.fetchone() != (True,):
            raise IndexBeingBuilt(
                f"Another process is building an index, of {space.slug} or another space. Try again when it is done."
            )
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('sightline index'), 0)")


@contextmanager
def memory_for(rows: int) -> Iterator[None]:
    """What the graph of so many rows takes, as far as SIGHTLINE_INDEX_MEMORY allows it."""
    megabytes = max(64, min(settings.SIGHTLINE_INDEX_MEMORY, rows * BYTES_A_ROW // 2**20))
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('maintenance_work_mem', %s, false)", [f"{megabytes}MB"])
        cursor.execute("SET max_parallel_maintenance_workers = 0")  # parallel builds need a large /dev/shm
        try:
            yield
        finally:
            cursor.execute("RESET maintenance_work_mem")
            cursor.execute("RESET max_parallel_maintenance_workers")

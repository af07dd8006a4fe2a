"""The life of a space: partitions, index, coverage, activation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from archive import dispatch
from archive.gains import in_words
from archive.models import Asset, Space, SpaceState, Status, Step, Work, WorkState
from archive.models.work import Priority
from archive.readiness import settle
from archive.work import add_encode_work

TABLES = ("archive_embedding", "archive_clipembedding")


class SpaceNotReady(Exception):
    """The space does not cover the archive yet."""


class GainsNothing(SpaceNotReady):
    """The space was adapted from another one and finds no more than that; `gain` has the figures."""

    def __init__(self, gain: dict[str, Any]) -> None:
        super().__init__(in_words(gain))
        self.gain = gain


@dataclass(frozen=True)
class Coverage:
    done: int
    total: int

    @property
    def share(self) -> float:
        return self.done / self.total if self.total else 1.0


def partition(space: Space, table: str = "archive_embedding") -> str:
    """The name of a space's partition: from its id, so no name of a user reaches SQL."""
    return f"{table}_{int(space.pk)}"


@transaction.atomic
def create_space(space: Space) -> Space:
    """Save a new space and make its partitions. It is BUILDING: uploads are written to it from now on."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", space.slug):
        raise ValueError(f"{space.slug!r} is no name for a space: use small letters, digits, dots and dashes.")
    space.state = SpaceState.BUILDING
    space.save()
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"CREATE TABLE {partition(space, table)} PARTITION OF {table} FOR VALUES IN ({space.pk:d})")
    return space


def backfill(space: Space) -> int:
    """Work for every prepared asset that lacks a vector in `space`; returns how many were added."""
    prepared = Asset.objects.filter(work__step=Step.PREPARE, work__state=WorkState.DONE)
    added = add_encode_work(prepared, space, Priority.BACKFILL)
    dispatch.ring_on_commit(Step.ENCODE)
    return added


def coverage(space: Space) -> Coverage:
    """How many of the readable assets have their vector in `space`."""
    total = Work.objects.filter(step=Step.PREPARE, state=WorkState.DONE).count()
    done = Work.objects.filter(step=Step.ENCODE, target=space.slug, state=WorkState.DONE).count()
    return Coverage(min(done, total), total)


@transaction.atomic
def activate(space: Space, *, even_if_partial: bool = False, even_if_worse: bool = False) -> None:
    """Search this space from the next query on; the one before stays READY for a roll-back."""
    if space.gain and not space.gain["gains"] and not even_if_worse:
        raise GainsNothing(space.gain)
    share = coverage(space)
    if share.done < share.total and not even_if_partial:
        raise SpaceNotReady(
            f"{space.slug} covers {share.done} of {share.total} assets. "
            f"Let the backfill finish, or activate it as it is with --partial."
        )
    Space.objects.filter(state=SpaceState.ACTIVE).exclude(pk=space.pk).update(state=SpaceState.READY)
    Space.objects.filter(pk=space.pk).update(state=SpaceState.ACTIVE, activated_at=Now())
    space.refresh_from_db()
    settle(Asset.objects.exclude(status=Status.READY).values_list("pk", flat=True))


@dataclass(frozen=True)
class IndexState:
    rows: int  # vectors in the space, as Postgres estimates them
    valid: bool  # whether its HNSW index exists and may be used


def index_state(space: Space) -> IndexState:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.reltuples::bigint, coalesce((SELECT i.indisvalid FROM pg_index i "
            "WHERE i.indexrelid = to_regclass(%s)), false) FROM pg_class c WHERE c.oid = to_regclass(%s)",
            [index_name(space), partition(space)],
        )
        return IndexState(*(cursor.fetchone() or (0, False)))


def index_name(space: Space) -> str:
    return f"{partition(space)}_hnsw"


def count_rows(space: Space) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {partition(space)}")  # noqa: S608
        (found,) = cursor.fetchone() or (0,)
    return int(found)


def build_index(space: Space) -> bool:
    """Make the HNSW index if the space is large enough to need one; returns whether it has one.

    Below SIGHTLINE_INDEX_FROM rows an exact scan takes under 10 ms and finds everything.
    Not inside a transaction: the index is built CONCURRENTLY, searches go on.
    """
    if index_state(space).valid:
        return True
    count = count_rows(space)
    if count < settings.SIGHTLINE_INDEX_FROM:
        return False
    with connection.cursor() as cursor:
        # About 3.5 kB a row keep the graph in memory; without them the build is several times slower.
        memory_mb = max(64, min(8192, count * 3500 // 2**20))
        cursor.execute("SELECT set_config('maintenance_work_mem', %s, false)", [f"{memory_mb}MB"])
        cursor.execute("SET max_parallel_maintenance_workers = 0")  # parallel builds need a large /dev/shm
        cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index_name(space)}")
        cursor.execute(
            f"CREATE INDEX CONCURRENTLY {index_name(space)} ON {partition(space)} "
            f"USING hnsw (vector halfvec_ip_ops) WHERE representative"
        )
        cursor.execute("RESET maintenance_work_mem")
        cursor.execute("RESET max_parallel_maintenance_workers")
        cursor.execute(f"ANALYZE {partition(space)}")
    return index_state(space).valid

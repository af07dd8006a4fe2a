"""The doctor's round: every check in order, and the repairs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from archive.doctor import fingerprints, originals, orphans, pictures, queue, surroundings, vectors
from archive.doctor.findings import Check, Finding

# Without these nothing else can be looked at.
FIRST = (
    Check(surroundings.DATABASE, surroundings.look_at_database),
    Check(surroundings.MIGRATIONS, surroundings.look_at_migrations),
)


def all_checks(*, deep: bool = False) -> tuple[Check, ...]:
    """`deep` reads every original."""
    return (
        *FIRST,
        Check(surroundings.SETTINGS, surroundings.look_at_settings),
        Check(surroundings.PGVECTOR, surroundings.look_at_pgvector),
        Check(surroundings.REDIS, surroundings.look_at_redis),
        Check(surroundings.DISK, surroundings.look_at_disk),
        Check(originals.NAME, lambda: originals.look(deep=deep)),
        Check(pictures.NAME, pictures.look, pictures.repair),
        Check(fingerprints.NAME, fingerprints.look, fingerprints.repair),
        Check(vectors.MISSING, vectors.look_for_missing, vectors.add_missing),
        Check(vectors.STRAY, vectors.look_for_strays, vectors.remove_strays),
        Check(vectors.INDEX, vectors.look_at_index, vectors.rebuild_index),
        Check(vectors.RETIRED, vectors.look_for_left_over, vectors.clear_left_over),
        Check(queue.STUCK, queue.look_for_stuck, queue.ring),
        Check(queue.OVERDUE, queue.look_for_overdue),
        Check(queue.BATCHES, queue.look_for_stuck_batches, queue.ring_batches),
        Check(queue.ASIDE, queue.count_aside),
        Check(orphans.NAME, orphans.look, orphans.repair),
    )


def examine(*, deep: bool = False, repair: bool = False) -> Iterator[Finding]:
    """One finding a check. With `repair`, what is wrong is taken in hand and looked at again."""
    for check in all_checks(deep=deep):
        found = check.look()
        if repair and not found.ok and check.repair is not None:
            done = check.repair()
            found = check.look()
            found = replace(found, detail=f"{found.detail} Repaired or under way: {done}.")
        yield found
        if not found.ok and check in FIRST:
            return

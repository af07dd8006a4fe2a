"""Tags of a whole archive as a table: how long they take beside Postgres' own COPY, and how much memory."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import connection

from archive.bundled.processes import manage
from archive.measuring import Row, milliseconds, time_row

UNIT = 1 << 20 if sys.platform == "darwin" else 1 << 10  # of memory that a process is said to have held
# A small process between: what is forked from this one is said to have held as much as this one.
WATCH = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
# What `tags export` reads for a superuser, without the archive's rules and without CSV that is safe in spreadsheets.
COPY = """
COPY (
    SELECT a.uuid, a.sha256, c.slug, a.filename, n.name, t.state, t.source, u.username, t.at
    FROM archive_tag t
    JOIN archive_asset a ON a.id = t.asset_id
    JOIN archive_collection c ON c.id = a.collection_id
    JOIN archive_concept n ON n.id = t.concept_id
    LEFT JOIN auth_user u ON u.id = t.by_id
    WHERE t.state = 'accepted' ORDER BY t.asset_id, t.concept_id
) TO STDOUT (FORMAT csv)
"""


@dataclass(frozen=True)
class Export:
    ms: float
    mib: float


def export_rows(everything: User, few: User) -> Iterator[Row]:
    """The time beside that of COPY, and the memory beside what a table of a few lines takes."""
    small, large = _export(few), _export(everything)
    yield time_row("tags exported", "ms", [(large.ms, milliseconds(_copy))])
    yield time_row("tags exported, memory", "MiB", [(large.mib, small.mib)])


def _export(user: User) -> Export:
    """All that `user` may see, into nothing: the whole time of the command, and the most memory that it held."""
    start = time.perf_counter()
    command = [sys.executable, "-I", "-S", "-c", WATCH, *manage("tags", "export", "--user", user.get_username())]
    said = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    return Export((time.perf_counter() - start) * 1000, int(said) / UNIT)


def _copy() -> None:
    with connection.cursor() as cursor, cursor.copy(COPY) as copy:
        for _ in copy:
            pass

"""Tags of a whole archive as a table: how long they take beside Postgres' own COPY, and how much memory."""

from __future__ import annotations

import os
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
    with subprocess.Popen(manage("tags", "export", "--user", user.get_username()), stdout=subprocess.DEVNULL) as child:
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError("The tags could not be exported; the lines above say why.")
    return Export((time.perf_counter() - start) * 1000, used.ru_maxrss / UNIT)


def _copy() -> None:
    with connection.cursor() as cursor, cursor.copy(COPY) as copy:
        for _ in copy:
            pass

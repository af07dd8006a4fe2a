"""Hold policies against the archive, a chunk at a time."""

import time

from archive.moderation.checking import work_on_next_check


def drain_checks(budget: float = 60.0) -> bool:
    """Work until nothing waits or `budget` seconds have passed; returns whether more may wait."""
    until = time.monotonic() + budget
    while time.monotonic() < until:
        if not work_on_next_check():
            return False
    return True

"""Apply the batches that wait, a chunk at a time."""

import time

from archive.batch_work import work_on_next


def drain_batches(budget: float = 60.0) -> bool:
    """Work until nothing waits or `budget` seconds have passed; returns whether more may wait."""
    until = time.monotonic() + budget
    while time.monotonic() < until:
        if not work_on_next():
            return False
    return True

"""One start per data folder, held by a lock that the servers share.

The servers inherit the lock's file, so it stays held until the last of them is gone: a start that follows
a kill -9 waits for the old database's shutdown instead of meeting it half-way.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archive.bundled.errors import AlreadyRunning, FolderNotWritable

PATIENCE_WITH_THE_DYING = 15.0


@contextmanager
def held(lock: Path) -> Iterator[int]:
    """Yield the descriptor of the held lock. AlreadyRunning where a living process has it."""
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise FolderNotWritable(lock.parent, error.strerror or str(error)) from error
    try:
        _take(descriptor, lock)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def check_free(lock: Path) -> None:
    """Raise AlreadyRunning now rather than after other complaints, such as the port that `up` has taken."""
    if lock.exists():
        with held(lock):
            pass


def _take(descriptor: int, lock: Path) -> None:
    deadline = time.monotonic() + PATIENCE_WITH_THE_DYING
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(descriptor)
            if holder is None or _alive(holder) or time.monotonic() > deadline:
                raise AlreadyRunning(lock.parent, holder) from None
        time.sleep(0.05)


def _holder(descriptor: int) -> int | None:
    written = os.pread(descriptor, 32, 0).strip()
    return int(written) if written.isdigit() else None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    # A killed parent that nobody has waited for yet still answers; it holds nothing any more.
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
    return state.rpartition(")")[2].split()[0] not in "ZX"

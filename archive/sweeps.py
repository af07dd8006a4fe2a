"""Regular cleaning: what crashes and cut connections left behind."""

import time
from pathlib import Path

from archive.incoming import incoming_folder
from archive.trash import purge_expired

STALE_SECONDS = 24 * 3600


def sweep_trash() -> int:
    return purge_expired()


def sweep_files() -> int:
    """Remove uploads that were cut off more than a day ago; returns how many."""
    return sum(_remove_stale(path) for path in incoming_folder().glob("*.part"))


def _remove_stale(path: Path) -> bool:
    try:
        if time.time() - path.stat().st_mtime < STALE_SECONDS:
            return False
        path.unlink()
    except FileNotFoundError:
        return False
    return True

"""Regular cleaning: what crashes and cut connections left behind."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.timezone import now

from archive.incoming import incoming_folder
from archive.ingest import lock_content
from archive.models import Asset
from archive.trash import purge_expired

STALE_SECONDS = 24 * 3600


def sweep_trash() -> int:
    return purge_expired()


def sweep_files() -> int:
    """Remove uploads that were cut off more than a day ago; returns how many."""
    return sum(_remove_stale(path) for path in incoming_folder().glob("*.part"))


def sweep_originals() -> int:
    """Remove originals that no row names and that are older than a day; returns how many.

    A process that died between keeping a file and committing its row leaves one.
    """
    swept = 0
    for keys in _folders("originals"):
        named = set(Asset.objects.filter(original__in=keys).values_list("original", flat=True))
        swept += sum(_remove_unnamed(key) for key in keys if key not in named)
    return swept


def _folders(folder: str) -> Iterator[list[str]]:
    """The keys below `folder`, a folder's worth at a time."""
    if not default_storage.exists(folder):
        return
    folders, files = default_storage.listdir(folder)
    if files:
        yield [f"{folder}/{name}" for name in files]
    for name in folders:
        yield from _folders(f"{folder}/{name}")


def _remove_unnamed(key: str) -> bool:
    """Under the lock of its content, so that an upload of the same bytes waits or is seen."""
    with transaction.atomic():
        lock_content(key.rsplit("/", 1)[-1])
        if Asset.objects.filter(original=key).exists() or not default_storage.exists(key):
            return False
        if now() - default_storage.get_modified_time(key) < timedelta(seconds=STALE_SECONDS):
            return False
        default_storage.delete(key)
    return True


def _remove_stale(path: Path) -> bool:
    try:
        if time.time() - path.stat().st_mtime < STALE_SECONDS:
            return False
        path.unlink()
    except FileNotFoundError:
        return False
    return True

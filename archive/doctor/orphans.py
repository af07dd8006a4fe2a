"""Files that no row names: left by crashes between a file and its row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice

from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from archive.doctor.findings import Finding, fine, wrong
from archive.ingest import lock_content
from archive.models import Asset, Frame, Rendition

NAME = "orphan files"
FOLDERS = ("originals", "renditions", "incoming")
# Younger ones may belong to a row that is about to commit.
GRACE = timedelta(days=1)
CHUNK = 2000


def look() -> Finding:
    found = list(find_orphans())
    if not found:
        return fine(NAME, "Every file older than a day belongs to an asset.")
    return wrong(NAME, len(found), f"{len(found)} files belong to no asset. `doctor --repair` removes them.", found)


def repair() -> int:
    return sum(_remove(key) for key in find_orphans())


def find_orphans() -> Iterator[str]:
    """Keys of old files that nothing names, looked up many at a time."""
    keys = (key for folder in FOLDERS for key in _files(folder))
    while chunk := list(islice(keys, CHUNK)):
        yield from (key for key in sorted(set(chunk) - _named(chunk)) if _is_old(key))


def _files(folder: str) -> Iterator[str]:
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in files:
        yield f"{folder}/{name}"
    for name in folders:
        yield from _files(f"{folder}/{name}")


def _named(keys: list[str]) -> set[str]:
    named = set(Asset.objects.filter(original__in=keys).values_list("original", flat=True))
    named |= set(Rendition.objects.filter(key__in=keys).values_list("key", flat=True))
    return named | set(Frame.objects.filter(still__in=keys).values_list("still", flat=True))


def _is_old(key: str) -> bool:
    try:
        return default_storage.get_modified_time(key) < timezone.now() - GRACE
    except FileNotFoundError:  # somebody was faster
        return False


def _remove(key: str) -> bool:
    """Under the lock of its content, and only if it is still named by nothing: an upload may be bringing it back."""
    with transaction.atomic():
        lock_content(key.rsplit("/", 1)[-1].split(".", maxsplit=1)[0])
        if _named([key]) or not _is_old(key):
            return False
        default_storage.delete(key)
    return True

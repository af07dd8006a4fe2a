"""Files that no row names: left by crashes between a file and its row."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator, Sequence
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
# Every key tells the content that it belongs to. Keys have no index of their own, contents have.
CONTENT = re.compile(r"[0-9a-f]{64}")


def look() -> Finding:
    found = list(find_orphans())
    if not found:
        return fine(NAME, "Every file older than a day belongs to an asset.")
    return wrong(NAME, len(found), f"{len(found)} files belong to no asset. `doctor --repair` removes them.", found)


def repair() -> int:
    return sum(_remove(key) for key in find_orphans())


def sweep_renditions(budget: float = 300.0) -> int:
    """Remove what was made of originals and is named no more: frames, stills and pieces of what was read again, or was
    deleted while a worker was at it. Returns how many.

    Nobody waits for it and an archive may hold millions, so it ends after `budget` seconds; it begins anywhere, so that
    the next ones get to the rest.
    """
    until = time.monotonic() + budget
    swept = 0
    for key in find_orphans(("renditions",), until, shuffled=True):
        swept += _remove(key)
    return swept


def find_orphans(
    folders: Sequence[str] = FOLDERS, until: float = float("inf"), *, shuffled: bool = False
) -> Iterator[str]:
    """Keys of old files that nothing names, looked up many at a time, until `until` on the monotonic clock."""
    keys = (key for folder in folders for key in _files(folder, shuffled=shuffled))
    while time.monotonic() < until and (chunk := list(islice(keys, CHUNK))):
        yield from (key for key in sorted(set(chunk) - _named(chunk)) if _is_old(key))


def _files(folder: str, *, shuffled: bool = False) -> Iterator[str]:
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in files:
        yield f"{folder}/{name}"
    if shuffled:
        random.shuffle(folders)
    for name in folders:
        yield from _files(f"{folder}/{name}", shuffled=shuffled)


def _named(keys: list[str]) -> set[str]:
    """Those of `keys` that a row names."""
    contents = {found[0] for key in keys if (found := CONTENT.search(key))}
    others = [key for key in keys if not CONTENT.search(key)]
    named = set(Asset.objects.filter(sha256__in=contents).values_list("original", flat=True))
    of_these = {"asset__sha256__in": contents}
    named |= set(Rendition.objects.filter(**of_these).values_list("key", flat=True))
    named |= set(Frame.objects.filter(**of_these).exclude(still="").values_list("still", flat=True))
    if others:
        named |= set(Asset.objects.filter(original__in=others).values_list("original", flat=True))
        named |= set(Rendition.objects.filter(key__in=others).values_list("key", flat=True))
        named |= set(Frame.objects.filter(still__in=others).values_list("still", flat=True))
    return named & set(keys)


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

"""Is every original there, as it came?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from django.core.files.storage import default_storage

from archive.doctor.findings import Finding, fine, wrong
from archive.models import Asset

NAME = "originals"


def look(*, deep: bool) -> Finding:
    """`deep` reads every byte; without it a file's size must do."""
    bad = list(_bad_ones(deep))
    if not bad:
        return fine(NAME, "Every original is there, byte for byte." if deep else "Every original is there.")
    sentence = f"{len(bad)} originals are missing or damaged. Restore them from the backup of the media folder."
    return wrong(NAME, len(bad), sentence, bad)


def _bad_ones(deep: bool) -> Iterator[str]:
    before, reason = "", ""
    rows = Asset.objects.order_by("sha256").values_list("uuid", "original", "size", "sha256")
    for uuid, key, size, sha256 in rows.iterator(chunk_size=5000):
        if key != before:  # equal originals share their file: one look is enough
            before, reason = key, _trouble(key, size, sha256 if deep else "")
        if reason:
            yield f"{uuid} ({reason})"


def _trouble(key: str, size: int, sha256: str) -> str:
    try:
        if default_storage.size(key) != size:
            return "another size"
        if sha256 and _digest(key) != sha256:
            return "other bytes"
    except FileNotFoundError:
        return "missing"
    except OSError as error:
        return f"unreadable: {error.strerror or error}"
    return ""


def _digest(key: str) -> str:
    with default_storage.open(key) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

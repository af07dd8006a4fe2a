"""Has every photo the fingerprint by which near-duplicates are found?"""

from __future__ import annotations

from archive.doctor.findings import Finding, fine, wrong
from archive.fingerprints import fill_missing, without_fingerprint

NAME = "fingerprints"


def look() -> Finding:
    missing = without_fingerprint()
    count = missing.count()
    if not count:
        return fine(NAME, "Every prepared photo has its fingerprint.")
    sentence = f"{count} photos have none, so their near-duplicates are not found. The workers make them in spare time,"
    return wrong(NAME, count, f"{sentence} `doctor --repair` at once.", missing.values_list("uuid", flat=True)[:5])


def repair() -> int:
    """From the stored renditions: no original is decoded."""
    count = without_fingerprint().count()
    fill_missing(budget=float("inf"))
    return count

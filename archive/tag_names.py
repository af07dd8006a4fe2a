"""What may be the name of a tag, and how it is kept."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from archive.models.concepts import LONGEST_NAME, Concept, ConceptKind, fold

MOST_NAMES = 50
JOINERS = "\u200c\u200d"  # unseen, but part of words and emoji
UNSEEN = ("Cc", "Cf", "Cs")


class BadTag(ValueError):
    """What was written cannot be a tag; the message says why, for people."""


def refuse_prohibited(names: Iterable[str]) -> None:
    """Raises `BadTag` where a concept of one of these names is prohibited."""
    folded = [fold(name) for name in names]
    there = Concept.objects.filter(folded__in=folded, kind=ConceptKind.PROHIBITED).order_by("folded").first()
    if there is not None:
        raise BadTag(f"“{there}” is a prohibited concept: pictures are flagged for it and reviewed, never tagged.")


def clean_names(written: Iterable[str]) -> list[str]:
    """Names of tags as they are kept, each once. Commas separate. Raises `BadTag`."""
    names: dict[str, str] = {}
    for raw in written:
        for part in raw.split(","):
            if name := clean_name(part):
                names.setdefault(fold(name), name)
            if len(names) > MOST_NAMES:
                raise BadTag(f"At most {MOST_NAMES} tags at a time, please.")
    return list(names.values())


def clean_one(raw: str) -> str:
    """As `clean_name`, of what is to be one name and not a list. Raises `BadTag`."""
    name = clean_name(raw)
    if "," in name:
        raise BadTag("A name has no commas: they separate tags.")
    return name


def clean_name(raw: str) -> str:
    """Trimmed, blanks collapsed, in Unicode's composed form; empty where nothing is left."""
    if len(raw) > 4 * LONGEST_NAME:
        raise BadTag(f"A tag has at most {LONGEST_NAME} characters.")
    name = unicodedata.normalize("NFC", " ".join(raw.split()))
    if any(unicodedata.category(c) in UNSEEN and c not in JOINERS for c in name):
        raise BadTag("A tag cannot contain characters that nobody sees.")
    if len(name) > LONGEST_NAME or len(fold(name)) > 4 * LONGEST_NAME:
        raise BadTag(f"A tag has at most {LONGEST_NAME} characters.")
    return name

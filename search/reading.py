"""How the parts of a query are read from an address: each gives its value, or a sentence why it makes none."""

from __future__ import annotations

import math
import re
import unicodedata
import uuid
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from archive.models import Kind
from search.negation import join_list, split_list
from search.weights import join_weighed, split_weighed

if TYPE_CHECKING:
    from search.query import Query

MAX_TEXT = 300
MAX_SHORT = 100
MAX_LIMIT = 200
MAX_DEPTH = 1000  # of a ranking
MAX_OFFSET = 999_999_999  # of browsing, which has no end
MOST_NAMES = 20
MOST_STEPS = 4  # of a sequence, beside its first
TRUE, FALSE = ("1", "true", "yes"), ("0", "false", "no")
# As phones and word processors write them.
QUOTES = str.maketrans(dict.fromkeys("“”„‟«»″", '"'))


class BadQuery(Exception):
    """A part of the query makes no sense; `fields` says which and why, as sentences."""

    def __init__(self, problems: dict[str, str], rest: Query | None = None) -> None:
        super().__init__(" ".join(problems.values()))
        self.fields = problems
        self.rest = rest  # what does make sense


class Mode(StrEnum):
    """Where relevance ends: only what matches well, a line below it, or no line at all."""

    STRICT = "strict"
    BALANCED = "balanced"
    EVERYTHING = "everything"


class Order(StrEnum):
    """By closeness, or the relevant set by a date, the newest first, or by how long it takes."""

    CLOSEST = "closest"
    TAKEN = "taken"
    ADDED = "added"
    LONGEST = "longest"
    SHORTEST = "shortest"


class Shape(StrEnum):
    LANDSCAPE = "landscape"
    PORTRAIT = "portrait"
    SQUARE = "square"


def words(raw: str) -> str:
    text = composed(raw, MAX_TEXT)
    if len(text) > MAX_TEXT:
        raise ValueError(f"At most {MAX_TEXT} characters, please: the model reads only the first few dozen words.")
    return " ".join(text.translate(QUOTES).split())


def composed(raw: str, most: int) -> str:
    """With an accent as a part of its letter (NFC), as everything is stored: macOS writes the two apart.

    What is far longer than `most` stays as it is.
    """
    return unicodedata.normalize("NFC", raw) if len(raw) <= 4 * most else raw


def listed(raw: str) -> str:
    """A list, written as people do; kept as text, so that an address stays short and plain."""
    parts = split_list(words(raw))
    if len(parts) > MOST_NAMES:
        raise ValueError(f"At most {MOST_NAMES} of them, please.")
    return join_list(parts)


def weighed(raw: str) -> str:
    """A list in which each may have a number behind it: "people^2, cars"."""
    return join_weighed(split_weighed(listed(raw)))


def few(raw: str) -> str:
    """The further terms of a sequence."""
    found = listed(raw)
    if len(split_list(found)) > MOST_STEPS:
        raise ValueError(f"At most {MOST_STEPS} of them, please.")
    return found


def identity(raw: str) -> uuid.UUID:
    try:
        return uuid.UUID(raw)
    except ValueError:
        raise ValueError("That is not the id of an asset.") from None


def one_of(values: Any, name: str) -> Callable[[str], Any]:
    def read(raw: str) -> Any:
        if raw not in list(values):
            raise ValueError(f"{name} is one of: {', '.join(values)}.")
        return values(raw) if isinstance(values, type) else raw

    return read


def day(raw: str) -> date:
    try:
        found = date.fromisoformat(raw)
    except ValueError:
        raise ValueError("Write a date as 2026-05-31.") from None
    if not 1000 <= found.year <= 9000:  # the days around the ends of the calendar have no neighbours
        raise ValueError("Write a date of this age, as 2026-05-31.")
    return found


def whole(low: int, high: int) -> Callable[[str], int]:
    def read(raw: str) -> int:
        if not raw.isascii() or not raw.isdigit() or len(raw) > 9 or not low <= int(raw) <= high:
            raise ValueError(f"A whole number from {low} to {high}, please.")
        return int(raw)

    return read


def number(low: float, high: float) -> Callable[[str], float]:
    def read(raw: str) -> float:
        try:
            found = float(raw)
        except ValueError:
            found = math.nan
        if not low <= found <= high:  # not a number is not between any two
            raise ValueError(f"A number from {low:g} to {high:g}, please.")
        return round(found, 3)

    return read


def short(raw: str) -> str:
    text = composed(raw, MAX_SHORT)
    if len(text) > MAX_SHORT:
        raise ValueError("That is too long.")
    return text


def key(raw: str) -> str:
    """As `search.pictures.keep_picture` makes them; it becomes a part of an address."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", raw):
        raise ValueError("That is not the key of a reference picture. Choose the picture again.")
    return raw


def truth(raw: str) -> bool:
    if raw not in (*TRUE, *FALSE):
        raise ValueError("Say 1 or 0, please.")
    return raw in TRUE


def either(raw: str) -> str:
    if raw not in ("yes", "no"):
        raise ValueError("Say yes or no.")
    return raw


KIND = one_of(Kind.values, "A kind")

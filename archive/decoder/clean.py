"""Text and values of strangers made fit for JSON, Postgres and a page."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from typing import Any

MAX_TEXT = 2000
MAX_LIST = 64
MAX_EXIF = 256 * 1024

OFFSET = re.compile(r"[+-](0\d|1[0-4]):[0-5]\d", re.ASCII)

# C0 and C1 controls (Postgres refuses NUL), half surrogate pairs (so does jsonb), the marks that turn
# the direction of text around, and U+FFFE/U+FFFF. Tabs and line ends stay.
UNWANTED = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]")


def clean_text(text: str, limit: int = MAX_TEXT) -> str:
    text = UNWANTED.sub("", text[: 4 * limit].replace("\r\n", "\n").replace("\r", "\n"))
    return unicodedata.normalize("NFC", text).strip()[:limit].rstrip()


def text_of(data: bytes) -> str:
    """Bytes of unstated encoding: UTF-8 if they are, else Latin-1, up to the first NUL."""
    data = data.split(b"\0", 1)[0]
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def clean_value(value: object) -> Any:
    """A JSON-able form of one EXIF value, or None for what is not worth keeping (blobs, odd objects)."""
    if isinstance(value, str):
        return clean_text(value) or None
    if isinstance(value, bytes):
        printable = len(value) <= MAX_LIST and all(32 <= byte < 127 for byte in value.rstrip(b"\0"))
        return clean_text(text_of(value)) or None if printable else None
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**63 else None
    if isinstance(value, tuple | list):
        return _clean_list(value)
    return number_of(value)


def number_of(value: object) -> float | None:
    """A finite number, or None. EXIF's rationals may be divided by zero, whole dictionaries may be text."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def cap(exif: dict[str, Any], limit: int = MAX_EXIF) -> dict[str, Any]:
    """The same without its largest entries, as many as needed to come under `limit` bytes of JSON."""
    sizes = {name: len(json.dumps({name: value})) for name, value in exif.items()}
    kept = dict(exif)
    while kept and sum(sizes[name] for name in kept) > limit:
        del kept[max(kept, key=sizes.__getitem__)]
    return kept


def _clean_list(values: tuple[object, ...] | list[object]) -> list[Any] | None:
    if len(values) > MAX_LIST or any(isinstance(value, tuple | list | dict) for value in values):
        return None
    cleaned = [clean_value(value) for value in values]
    return None if any(value is None for value in cleaned) else cleaned

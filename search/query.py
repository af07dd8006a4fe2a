"""What is asked: one frozen object from the URL to the SQL and back."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from archive.models import Kind

MAX_TEXT = 300
MAX_LIMIT = 200


class BadQuery(Exception):
    """A part of the query makes no sense; `fields` says which and why, as sentences."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.fields = problems


@dataclass(frozen=True)
class Query:
    """Terms (words, words to avoid, a stored asset, an uploaded picture) and filters.

    The URL carries only what differs from the defaults: `Query.from_params(q.params()) == q`.
    """

    text: str = ""
    without: str = ""
    like: uuid.UUID | None = None
    picture: str = ""  # the key under which an uploaded picture is kept for a while
    collection: str = ""
    kind: str = ""
    date_from: date | None = None
    date_to: date | None = None
    offset: int = 0
    limit: int = 60
    exact: bool = False

    @property
    def asks(self) -> bool:
        """Whether there is something to rank by; without it a page browses the newest."""
        return bool(self.text or self.without or self.like or self.picture)

    @property
    def filters(self) -> bool:
        return bool(self.collection or self.kind or self.date_from or self.date_to)

    def but(self, **changes: Any) -> Query:
        """The same query with something changed, from its first page on."""
        return replace(self, **{"offset": 0, **changes})

    def params(self) -> dict[str, str]:
        found = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value != field.default:
                found[NAMES.get(field.name, field.name)] = "1" if value is True else str(value)
        return found

    def url(self, path: str = "/") -> str:
        params = self.params()
        return f"{path}?{urlencode(params)}" if params else path

    @classmethod
    def from_params(cls, params: Mapping[str, str]) -> Query:
        """Read a URL's parameters. Unknown ones are ignored, senseless ones raise `BadQuery`."""
        problems: dict[str, str] = {}
        values: dict[str, Any] = {}
        for field in fields(cls):
            name = NAMES.get(field.name, field.name)
            raw = params.get(name, "").replace("\x00", "").strip()
            if not raw:
                continue
            try:
                values[field.name] = READERS[field.name](raw)
            except ValueError as error:
                problems[name] = str(error)
        if not problems and values.get("date_from", date.min) > values.get("date_to", date.max):
            problems["from"] = "The first date lies after the last one."
        if problems:
            raise BadQuery(problems)
        return cls(**values)


NAMES = {"text": "q", "date_from": "from", "date_to": "to"}


def _words(raw: str) -> str:
    if len(raw) > MAX_TEXT:
        raise ValueError(f"At most {MAX_TEXT} characters, please: the model reads only the first few dozen words.")
    return " ".join(raw.split())


def _uuid(raw: str) -> uuid.UUID:
    try:
        return uuid.UUID(raw)
    except ValueError:
        raise ValueError("That is not the id of an asset.") from None


def _kind(raw: str) -> str:
    if raw not in Kind.values:
        raise ValueError(f"A kind is one of: {', '.join(Kind.values)}.")
    return raw


def _date(raw: str) -> date:
    try:
        found = date.fromisoformat(raw)
    except ValueError:
        raise ValueError("Write a date as 2026-05-31.") from None
    if not 1000 <= found.year <= 9000:  # the days around the ends of the calendar have no neighbours
        raise ValueError("Write a date of this age, as 2026-05-31.")
    return found


def _number(low: int, high: int) -> Any:
    def read(raw: str) -> int:
        if not raw.isascii() or not raw.isdigit() or len(raw) > 9 or not low <= int(raw) <= high:
            raise ValueError(f"A whole number from {low} to {high}, please.")
        return int(raw)

    return read


def _short(raw: str) -> str:
    if len(raw) > 100:
        raise ValueError("That is too long.")
    return raw


def _key(raw: str) -> str:
    """As `search.pictures.keep_picture` makes them; it becomes a part of an address."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", raw):
        raise ValueError("That is not the key of a reference picture. Choose the picture again.")
    return raw


READERS = {
    "text": _words,
    "without": _words,
    "like": _uuid,
    "picture": _key,
    "collection": _short,
    "kind": _kind,
    "date_from": _date,
    "date_to": _date,
    "offset": _number(0, 1000),
    "limit": _number(1, MAX_LIMIT),
    "exact": lambda raw: raw in ("1", "true", "yes"),
}

"""The log as a file. In CSV no cell is ever a formula, whatever somebody called a picture."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import orjson

from archive.exchange.cells import guard
from archive.models.moderation_log import LogEntryQuerySet

FIELDS = (
    *("id", "at", "event", "person", "concept", "flag_id", "asset", "filename", "collection", "space", "score"),
    *("before", "after", "reason"),
)


class Echo:
    """A file that hands back what is written, so that a long log is never in memory as a whole."""

    def write(self, text: str) -> str:
        return text


def as_csv(entries: LogEntryQuerySet) -> Iterator[str]:
    writer = csv.writer(Echo(), lineterminator="\r\n")
    yield writer.writerow(FIELDS)
    for row in _rows(entries):
        yield writer.writerow([cell(value) for value in row])


def as_json(entries: LogEntryQuerySet) -> Iterator[bytes]:
    """One list; each entry on a line of its own."""
    before = b"[\n"
    for row in _rows(entries):
        yield before + orjson.dumps(dict(zip(FIELDS, row, strict=True)))
        before = b",\n"
    yield b"[]\n" if before == b"[\n" else b"\n]\n"


def cell(value: Any) -> str:
    """As a spreadsheet shows it and does not compute it. Numbers are numbers, minus included."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    return guard(value) if isinstance(value, str) else str(value)


def _rows(entries: LogEntryQuerySet) -> Iterator[tuple[Any, ...]]:
    return entries.order_by("id").values_list(*FIELDS).iterator(chunk_size=2000)

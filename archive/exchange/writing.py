"""Write a table as a stream of bytes."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any

from archive.exchange.cells import guard

Row = dict[str, Any]
FORMATS = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
LINES = 500


def write(rows: Iterable[Row], columns: tuple[str, ...], kind: str) -> Iterator[bytes]:
    """`kind` is one of `FORMATS`. Values are text, numbers, None, or lists of text."""
    return as_csv(rows, columns) if kind == "csv" else as_json(rows)


def as_csv(rows: Iterable[Row], columns: tuple[str, ...]) -> Iterator[bytes]:
    """With the mark by which Excel knows UTF-8. Lists have a line each inside their cell."""
    lines: list[str] = ["\ufeff"]
    writer = csv.writer(_Lines(lines))
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in columns])
        if len(lines) > LINES:
            yield "".join(lines).encode()
            lines.clear()
    yield "".join(lines).encode()


def as_json(rows: Iterable[Row]) -> Iterator[bytes]:
    """An array with one object a line: whole JSON, and still read line by line."""
    lines: list[str] = ["["]
    for number, row in enumerate(rows):
        lines.append(("," if number else "") + "\n" + json.dumps(row, ensure_ascii=False))
        if len(lines) > LINES:
            yield "".join(lines).encode()
            lines.clear()
    lines.append("\n]\n")
    yield "".join(lines).encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return guard("\n".join(value) if isinstance(value, list) else str(value))


class _Lines:
    """What `csv` takes for a file."""

    def __init__(self, lines: list[str]) -> None:
        self.write = lines.append

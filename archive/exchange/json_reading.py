"""JSON read as a stream: one array of objects, or one object a line. Python's own reader wants it whole."""

from __future__ import annotations

import json
from collections.abc import Iterator

from archive.exchange.lines import LONGEST, BadFile, Columns, Problem, Record

BETWEEN = " \t\r\n,"
TOO_EARLY = "The file ends too early."


def read_json(lines: Iterator[str], columns: Columns) -> Iterator[Record | Problem]:
    """Raises `BadFile` where it is no JSON any more."""
    text = _Text(lines)
    array = text.take("[")
    while text.begins():
        if array and text.take("]"):
            array = False
            if text.begins():
                raise BadFile(text.line, "Something stands behind the end of the list.")
            return
        line = text.line
        yield _record(line, text.value(), columns)
    if array:
        raise BadFile(text.line, TOO_EARLY)


def _record(line: int, value: object, columns: Columns) -> Record | Problem:
    if not isinstance(value, dict):
        return Problem(line, "This is no object in { }.")
    try:
        columns.check(list(value), line)
    except BadFile as error:
        return Problem(line, str(error).partition(": ")[2])
    return Record(line, value)


class _Text:
    """Lines as one text of which only a part is held; `line` is where it stands."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._held = ""
        self._at = 0
        self.line = 1
        self._decoder = json.JSONDecoder()

    def begins(self) -> bool:
        """Go to the next thing that is written; False where there is none."""
        while True:
            while self._at < len(self._held) and self._held[self._at] in BETWEEN:
                self._step(1)
            if self._at < len(self._held):
                return True
            if not self._more():
                return False

    def take(self, sign: str) -> bool:
        if not self.begins() or self._held[self._at] != sign:
            return False
        self._step(1)
        return True

    def value(self) -> object:
        while True:
            try:
                found, end = self._decoder.raw_decode(self._held, self._at)
            except json.JSONDecodeError as error:
                if len(self._held) - self._at > LONGEST:
                    raise BadFile(self.line, "This is too long to be one object of a table.") from error
                if self._more():
                    continue
                at = self.line + self._held.count("\n", self._at, error.pos)
                raise BadFile(at, f"This is not JSON: {error.msg}.") from error
            except (ValueError, RecursionError) as error:
                raise BadFile(self.line, "This is no JSON of a table.") from error
            self._step(end - self._at)
            return found

    def _step(self, count: int) -> None:
        self.line += self._held.count("\n", self._at, self._at + count)
        self._at += count

    def _more(self) -> bool:
        """Double what is held, so that a long object is not tried once for each of its lines."""
        self._held, self._at = self._held[self._at :], 0
        wanted, parts = max(4096, len(self._held)), []
        for line in self._lines:
            parts.append(line)
            wanted -= len(line)
            if wanted <= 0:
                break
        self._held += "".join(parts)
        return bool(parts)

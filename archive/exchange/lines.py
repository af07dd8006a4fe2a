"""What reading a table gives, whatever it is written in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

LONGEST = 1_000_000  # characters of one record


class BadFile(ValueError):
    """This is no such table. The message says why, for people; `line` is where, counted from 1."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(f"Line {line}: {sentence}")
        self.line = line


@dataclass(frozen=True)
class Problem:
    """Something is wrong with one record; the others can be read."""

    line: int
    sentence: str

    def __str__(self) -> str:
        return f"Line {self.line}: {self.sentence}"


@dataclass(frozen=True)
class Record:
    """`line` is the one that it begins on; `values` has text, lists and None, by the names of the columns."""

    line: int
    values: dict[str, Any]

    def text(self, name: str, *, exact: bool = False) -> str:
        """Without the blanks around it, unless `exact`. Raises `ValueError`, in words, where there is no text."""
        value = self.values.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise ValueError(f"“{name}” must be text, in quotation marks.")
        return value if exact else value.strip()


@dataclass(frozen=True)
class Columns:
    """Those that a table has; `needed` are those that it cannot do without."""

    known: tuple[str, ...]
    needed: tuple[str, ...]

    def check(self, names: list[str], line: int) -> None:
        """Raises `BadFile`."""
        strange = [name for name in names if name not in self.known]
        if strange:
            known = ", ".join(self.known)
            raise BadFile(line, f"“{strange[0][:60]}” is no column of this table. Its columns are: {known}.")
        missing = [name for name in self.needed if name not in names]
        if missing:
            raise BadFile(line, f"The column “{missing[0]}” is missing. The first line names the columns.")
        if len(set(names)) < len(names):
            raise BadFile(line, "Two columns have the same name.")

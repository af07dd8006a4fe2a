"""What became of a table that came in, or would become of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from archive.exchange.lines import Problem

MOST_TOLD = 100


@dataclass
class Tally:
    """`new_names`: concepts that were not there before. Of very many problems only the first are kept."""

    lines: int = 0
    added: int = 0
    changed: int = 0
    same: int = 0
    wrong: int = 0
    new_names: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    left_out: list[Problem] = field(default_factory=list)  # parts of right lines that name what is not here

    def complain(self, line: int, sentence: str) -> None:
        self.wrong += 1
        if len(self.problems) < MOST_TOLD:
            self.problems.append(Problem(line, sentence))

    def leave_out(self, line: int, sentence: str) -> None:
        if len(self.left_out) < MOST_TOLD:
            self.left_out.append(Problem(line, sentence))

    def as_dict(self) -> dict[str, Any]:
        return {
            **{name: getattr(self, name) for name in ("lines", "added", "changed", "same", "wrong")},
            "new_names": len(self.new_names),
            "problems": [{"line": one.line, "problem": one.sentence} for one in self.problems],
            "left_out": [{"line": one.line, "problem": one.sentence} for one in self.left_out],
        }


class NotImported(Exception):
    """Some lines are wrong, so nothing at all was taken in."""

    def __init__(self, tally: Tally) -> None:
        super().__init__(
            f"Nothing was imported: {tally.wrong:,} of {tally.lines:,} lines are wrong. Mend them, or leave them out."
        )
        self.tally = tally

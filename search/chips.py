"""The terms of a query as chips in its box: what each offers."""

from __future__ import annotations

from dataclasses import dataclass

from search.weights import STEPS, USUAL, plain, sign


@dataclass(frozen=True)
class Weigh:
    """How much a chip counts, to be chosen or dragged.

    `name`: of the field in the form. What is left out in words has none: its number stands behind the words.
    """

    of: str
    weight: float
    name: str = ""

    @property
    def sign(self) -> str:
        return sign(self.weight)

    @property
    def usual(self) -> bool:
        return self.weight == USUAL

    @property
    def options(self) -> list[tuple[str, str, str, bool]]:
        """Value, sign, words, whether it is the one; the heaviest first, so that the arrow up makes it heavier.
        The usual weight has no value: addresses carry only what differs."""
        named = dict(STEPS)
        named.setdefault(self.weight, f"{plain(self.weight)} times")
        return [
            ("" if weight == USUAL else plain(weight), sign(weight), named[weight], weight == self.weight)
            for weight in sorted(named, reverse=True)
        ]


@dataclass(frozen=True)
class Without:
    """A thing that is left out: to drop it, to look for it instead, or to weigh it."""

    words: str
    drop: str
    turn: str
    weigh: Weigh


@dataclass(frozen=True)
class Following:
    """A further term of a sequence: what comes then, or is also there."""

    joint: str
    words: str
    drop: str

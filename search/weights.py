"""How much a term counts: "people^2" counts double, "people^0.5" half, and what has no number counts once."""

from __future__ import annotations

import re
from dataclasses import dataclass

from search.negation import join_list, split_list

LEAST, MOST = 0.25, 4.0
USUAL = 1.0
# What a chip offers. An address may name any number between the ends.
STEPS = ((0.25, "a quarter"), (0.5, "half"), (USUAL, "as usual"), (2.0, "double"), (4.0, "four times"))
SIGNS = {0.25: "¼", 0.5: "½", 0.75: "¾"}
BEHIND = re.compile(r"([^^]*[^^\s])\s*\^\s*([0-9]{1,4}(?:\.[0-9]{1,6})?)")


@dataclass(frozen=True)
class Weighed:
    words: str
    weight: float = USUAL

    @property
    def written(self) -> str:
        return self.words if self.weight == USUAL else f"{self.words}^{plain(self.weight)}"


def plain(weight: float) -> str:
    return f"{weight:.3f}".rstrip("0").rstrip(".")


def sign(weight: float) -> str:
    """As a chip shows it."""
    return f"×{SIGNS.get(weight, plain(weight))}"


def read_weighed(part: str) -> Weighed:
    """Raises ValueError, with a sentence, for a number that no term may weigh."""
    found = BEHIND.fullmatch(part)
    if found is None:
        return Weighed(part)
    weight = round(float(found[2]), 3)
    if not LEAST <= weight <= MOST:
        raise ValueError(f"“{found[1]}” can count from {LEAST:g} to {MOST:g} times: write {found[1]}^2 for double.")
    return Weighed(found[1], weight)


def split_weighed(text: str) -> tuple[Weighed, ...]:
    return tuple(read_weighed(part) for part in split_list(text))


def join_weighed(terms: tuple[Weighed, ...]) -> str:
    return join_list(tuple(term.written for term in terms))

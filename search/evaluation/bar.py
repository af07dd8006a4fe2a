"""The lightest model that is good enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from search.evaluation.evaluate import Evaluation

MEASURES = ("R@1", "R@5", "accuracy", "recall@10", "coverage")


class BadBar(Exception):
    """It names no measure, or no share."""


@dataclass(frozen=True)
class Bar:
    measure: str
    least: float

    @classmethod
    def read(cls, text: str) -> Bar:
        """As `R@5=0.8`."""
        name, _, number = text.partition("=")
        try:
            least = float(number)
        except ValueError:
            least = -1.0
        if name not in MEASURES or not 0 <= least <= 1:
            raise BadBar(f"Write a bar as R@5=0.8: one of {', '.join(MEASURES)}, and a share from 0 to 1.")
        return cls(name, least)

    def cleared_by(self, one: Evaluation) -> bool:
        """What was not measured clears nothing."""
        value = one.as_dict()[self.measure]
        return value is not None and value >= self.least


def lightest(found: Sequence[Evaluation], bar: Bar) -> Evaluation | None:
    """Of those that clear the bar the one that encodes the most pictures a second here: what weighs is the
    work of every upload and of the next backfill, and vectors of all models take the same room."""
    good = [one for one in found if bar.cleared_by(one)]
    return max(good, key=lambda one: one.pictures_a_second, default=None)

"""What an adapter gains on captions that it was not trained on, and whether that may be luck."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workers.encoders.adapter import Adapter, Pairs
from workers.encoders.protocol import Vectors

RESAMPLED = 2000
SURE = (2.5, 97.5)  # percentiles: 95 %


@dataclass(frozen=True, slots=True)
class Figures:
    """Over captions: share whose picture comes first, or among five; mean of 1 / rank."""

    recall_at_1: float
    recall_at_5: float
    reciprocal_rank: float

    def as_json(self) -> dict[str, float]:
        return {"R@1": self.recall_at_1, "R@5": self.recall_at_5, "MRR": self.reciprocal_rank}


@dataclass(frozen=True, slots=True)
class Gain:
    """`low` and `high` bound the change of the mean reciprocal rank, 95 % sure."""

    captions: int
    pictures: int
    parent: Figures
    adapted: Figures
    low: float
    high: float

    @property
    def is_real(self) -> bool:
        return self.low > 0

    def as_json(self) -> dict[str, Any]:
        change = self.adapted.reciprocal_rank - self.parent.reciprocal_rank
        return {
            "captions": self.captions,
            "pictures": self.pictures,
            "parent": self.parent.as_json(),
            "adapted": self.adapted.as_json(),
            "difference": {"MRR": round(change, 4), "low": self.low, "high": self.high},
            "gains": self.is_real,
        }


def ranks(texts: Vectors, pictures: Vectors, groups: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """For each different caption the place, from 0, of the first picture that it belongs to, among all.

    A picture of another caption that is equally near counts as nearer: vectors that have all become the same
    find nothing.
    """
    _, firsts = np.unique(groups, return_index=True)
    scores = texts[firsts] @ pictures.T
    own = groups[firsts][:, None] == groups[None]
    nearest = np.where(own, scores, -np.inf).max(axis=1)
    found: npt.NDArray[np.int64] = ((scores >= nearest[:, None]) & ~own).sum(axis=1)
    return found


def ranks_with(adapter: Adapter | None, pairs: Pairs) -> npt.NDArray[np.int64]:
    """The ranks of these captions among these pictures, as the parent has them (None) or as adapted."""
    if adapter is None:
        return ranks(pairs.texts, pairs.pictures, pairs.groups)
    return ranks(adapter.texts(pairs.texts), adapter.pictures(pairs.pictures), pairs.groups)


def figures(found: npt.NDArray[np.int64]) -> Figures:
    return Figures(
        *(round(float(mean), 4) for mean in ((found < 1).mean(), (found < 5).mean(), _reciprocal(found).mean()))
    )


def judge(parent: npt.NDArray[np.int64], adapted: npt.NDArray[np.int64], pictures: int) -> Gain:
    """From the ranks of the same captions in both spaces.

    A paired bootstrap: the captions are drawn again and again with repetition, and the gain must be there in
    nearly every draw. Otherwise a few lucky captions make it.
    """
    change = _reciprocal(adapted) - _reciprocal(parent)
    dice = np.random.default_rng(0)
    means = [change[dice.integers(0, len(change), len(change))].mean() for _ in range(RESAMPLED)]
    low, high = (round(float(bound), 4) for bound in np.percentile(means, SURE))
    return Gain(len(change), pictures, figures(parent), figures(adapted), low, high)


def _reciprocal(found: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    return 1 / (found + 1)

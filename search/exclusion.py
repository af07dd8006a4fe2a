"""Leaving out: what shows the unwanted is pushed down, the rest keeps its order.

Subtracting the unwanted words from the query would drag it away from what is wanted. A penalty leaves the
query alone and touches only the hits that resemble the unwanted more than pictures at large do.
On scenes with known contents this beats both the plain words and subtraction: docs/relevance.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from search.background import Background

# In spreads of the background: from where a likeness counts, and what one spread of it costs in spreads of
# the closeness to what is wanted.
FROM = 0.5
PRICE = 1.0


@dataclass(frozen=True)
class Price:
    """What being like something unwanted costs: `slope` for each unit of likeness above `free`."""

    slope: float
    free: float

    def __call__(self, likeness: float) -> float:
        return self.slope * max(0.0, likeness - self.free)


def price_of(unwanted: Background, wanted: Background, weight: float = 1.0) -> Price:
    """`weight`: how many times it is counted."""
    if not unwanted.known:
        return Price(weight, 0.0)
    return Price(weight * PRICE * wanted.spread / unwanted.spread, unwanted.mean + FROM * unwanted.spread)


def penalty(likeness: float, unwanted: Background, wanted: Background, weight: float = 1.0) -> float:
    """What a hit loses of its closeness for being like something unwanted."""
    return price_of(unwanted, wanted, weight)(likeness)

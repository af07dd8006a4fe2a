"""Leaving out: what shows the unwanted is pushed down, the rest keeps its order.

Subtracting the unwanted words from the query would drag it away from what is wanted. A penalty leaves the
query alone and touches only the hits that resemble the unwanted more than pictures at large do.
On scenes with known contents this beats both the plain words and subtraction: docs/relevance.md.
"""

from __future__ import annotations

from search.background import Background

# In spreads of the background: from where a likeness counts, and what one spread of it costs in spreads of
# the closeness to what is wanted.
FROM = 0.5
PRICE = 1.0


def penalty(likeness: float, unwanted: Background, wanted: Background) -> float:
    """What a hit loses of its closeness for being like something unwanted."""
    if not unwanted.known:
        return max(0.0, likeness)
    excess = (likeness - unwanted.mean) / unwanted.spread - FROM
    return PRICE * wanted.spread * max(0.0, excess)

"""Two rankings into one, by what looks like the question and by what says it: reciprocal rank fusion.

Cormack, Clarke and Büttcher, SIGIR 2009: the sum of 1 / (60 + rank) needs no scores that could be compared.
"""

from __future__ import annotations

from collections.abc import Sequence

from search.phrases import Saying

DAMPING = 60


def fuse(near: Sequence[int], sayings: Sequence[Saying]) -> list[int]:
    """Asset ids in one order. Who bears the question as its file name comes first."""
    exactly = [saying.asset_id for saying in sayings if saying.exactly]
    scores: dict[int, float] = {}
    for ranking in (near, [saying.asset_id for saying in sayings]):
        for rank, asset_id in enumerate(ranking, start=1):
            scores[asset_id] = scores.get(asset_id, 0.0) + 1 / (DAMPING + rank)
    first = {asset_id: place for place, asset_id in enumerate(exactly)}
    # Sorting is stable: of equal scores the nearer one stays in front.
    return sorted(scores, key=lambda pk: (first.get(pk, len(first)), -scores[pk]))

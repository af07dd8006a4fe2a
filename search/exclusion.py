"""Leaving out: what shows the unwanted goes to the end, the rest keeps its order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from archive.models import Space
from archive.vectors import Vector
from search.neighbours import Found, similarities

# Subtracting the unwanted words from the query drags it away from what is wanted. A penalty
# leaves the query alone and touches only the candidates that resemble the unwanted more than
# most of them do.
WEIGHT = 1.0


def push_down(found: Found, space: Space, unwanted: Vector) -> Found:
    """Rank again, with a penalty by how far each hit's likeness to `unwanted` exceeds the median."""
    if not found.neighbours:
        return found
    likeness = similarities(space, unwanted, [n.frame_id for n in found.neighbours])
    usual = float(np.median(list(likeness.values())))
    ranked = sorted(
        found.neighbours,
        key=lambda n: n.distance + WEIGHT * max(0.0, likeness.get(n.frame_id, usual) - usual),
    )
    return replace(found, neighbours=ranked)

"""What says the words of a query, and how close that comes to it: found beside the neighbours."""

from __future__ import annotations

from typing import NamedTuple

from archive.models import Space
from archive.vectors import Vector
from search.moments import Aim, best_frames
from search.neighbours import EXACTLY_WITHIN_MS, Candidates, Neighbour
from search.phrases import Saying, find_sayings
from search.query import Query

# So many are fused with as many neighbours as are asked for.
MOST = 200


class Said(NamedTuple):
    """`near`: by their best frames, the closest first. What the space does not hold yet has none."""

    sayings: list[Saying]
    near: list[Neighbour]


def find_said(query: Query, candidates: Candidates, space: Space, vector: Vector) -> Said:
    """Raises `TooSlow` and `SpaceGone`."""
    sayings = find_words(query, candidates)
    return Said(sayings, closest(space, vector, sayings))


def find_words(query: Query, candidates: Candidates) -> list[Saying]:
    """Beside a picture, words say what it should look like: "like this, but at night"."""
    asked = "" if query.picture or query.like else query.text
    return find_sayings(candidates, asked, MOST, query.unwanted) if asked else []


def closest(space: Space, vector: Vector, sayings: list[Saying]) -> list[Neighbour]:
    if not sayings:
        return []
    best = best_frames(Aim(space, vector), [one.asset_id for one in sayings], EXACTLY_WITHIN_MS)
    found = [Neighbour(asset, frame, -closeness) for asset, (frame, closeness) in best.items()]
    return sorted(found, key=lambda one: (one.distance, one.asset_id))

"""Scores: how much a picture shows a concept, in one matrix product for any number of both.

A score says by how many spreads a picture is closer to the concept than pictures at large are; 0 is an ordinary
picture. Where a concept says what it is mistaken for, a picture pays for what it resembles of that beyond half a
spread, as in a search that leaves something out (docs/relevance.md). Scores of different concepts, and of one concept
in different spaces, are on the same footing, but are no probabilities: each concept's threshold says from which score
it is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from archive.concepts.vectors import ConceptVectors
from archive.vectors import Rows

FROM = 0.5  # spreads from which a likeness to a rival counts

Scores = npt.NDArray[np.float32]


def score(vectors: npt.NDArray[np.float32], concepts: ConceptVectors) -> Scores:
    """(m, 768) unit vectors of pictures to (m, n) scores, a column for each of `concepts`."""
    product: Scores = vectors @ concepts.weights
    product -= concepts.offsets
    own = product[:, : len(concepts)]
    if not len(concepts.rivals):
        return own
    places, starts = np.unique(concepts.rival_of, return_index=True)
    worst = np.maximum.reduceat(product[:, len(concepts) :], starts, axis=1)
    own[:, places] -= np.maximum(0.0, worst - FROM)
    return own


@dataclass(frozen=True)
class Best:
    """For each asset (a of them) its best scores (a, n), and the frame (a, n) that has each."""

    assets: list[int]
    scores: Scores
    frames: npt.NDArray[np.int64]


def best_by_asset(rows: Rows, scores: Scores) -> Best:
    """A photo has one frame; of a video the best second counts, for each concept its own."""
    if not rows.assets:
        return Best([], scores[:0], np.empty((0, scores.shape[1]), dtype=np.int64))
    assets, place = np.unique(np.asarray(rows.assets), return_inverse=True)
    frames = np.asarray(rows.frames, dtype=np.int64)
    if len(assets) == len(frames):
        order = np.argsort(place)
        return Best(assets.tolist(), scores[order], np.repeat(frames[order, None], scores.shape[1], axis=1))
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(len(assets)))
    best = np.maximum.reduceat(scores[order], starts, axis=0)
    is_best = scores[order] == best[place[order]]
    first = np.where(is_best, np.arange(len(order))[:, None], len(order))
    found = np.minimum.reduceat(first, starts, axis=0)
    return Best(assets.tolist(), best, frames[order][found])


def there(scores: Scores, thresholds: Sequence[float] | npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Where a score reaches its concept's threshold."""
    reached: npt.NDArray[np.bool_] = scores >= np.asarray(thresholds, dtype=np.float32)
    return reached

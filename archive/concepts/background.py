"""Pictures at large: what a concept has to stand out from, in a space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from archive.models import DIMENSIONS, Asset, Space, Status
from archive.vectors import Vector, read_sample

SAMPLE = 500
LEAST = 20  # of fewer pictures the golden ones of the space take the place
# As a search draws its line (docs/relevance.md): so many spreads above the mean, beside a calibration and without.
STANDS_OUT = 0.5
ALONE = 2.0


@dataclass(frozen=True)
class Background:
    """(n, 768): a fixed random sample of the archive's pictures; `known` of them, or none."""

    space: Space
    pictures: Vector
    known: int

    def of(self, vectors: Vector) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Mean and spread, (k,) each, of how close the pictures are to `vectors` (k, 768)."""
        closeness = self.pictures @ vectors.T
        means = closeness.mean(axis=0, dtype=np.float64)
        spreads = closeness.std(axis=0, dtype=np.float64)
        if not self.known:
            spreads = np.maximum(spreads, np.abs(self.space.calibration.get("balanced", 0.0) - means) / ALONE)
        return means, np.maximum(spreads, 1e-6)

    def line(self, mean: float, spread: float) -> float:
        """The score from which the space's calibration says that a concept is there: the mark that true pairs
        reach, never below what stands out; without marks what stands out alone."""
        marked = self.space.calibration.get("balanced")
        if marked is None:
            return ALONE
        return max(STANDS_OUT, (float(marked) - mean) / spread)


def read_background(space: Space, collections: Sequence[int] = ()) -> Background:
    """Of these collections, or of the whole archive: what a concept is looked for in is what it stands out from, and
    whoever keeps one for their own collections learns nothing of others."""
    kept = Asset.objects.filter(status=Status.READY, trashed_at__isnull=True)
    if collections:
        kept = kept.filter(collection__in=collections)
    sample = read_sample(space, kept, SAMPLE)
    if len(sample) >= LEAST:
        return Background(space, sample, len(sample))
    goldens = Space.objects.values_list("goldens", flat=True).get(pk=space.pk).get("pictures", [])
    pictures = np.asarray(goldens, dtype=np.float32).reshape(-1, DIMENSIONS)
    if not len(pictures):
        pictures = np.zeros((1, DIMENSIONS), dtype=np.float32)
    return Background(space, pictures, 0)

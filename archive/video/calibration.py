"""From which cosine on two frames are of one shot: measured for each space on the archive's own videos.

Two frames a second apart are mostly of one shot, and sometimes a cut lies between: their cosines have two hills.
The mark is where Otsu's method parts them (N. Otsu, A Threshold Selection Method from Gray-Level Histograms, 1979):
the split with the largest variance between its two sides. It counts only where there are two hills, where enough
was looked at, and within the bounds that unrelated pictures of the space set. Until then a space has the usual mark.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from django.db.models import Exists, OuterRef, QuerySet

from archive.models import Asset, Frame, Kind, Space, Step, Work, WorkState
from archive.vectors import Vectors
from archive.video.shots import MARK
from archive.video.vectors import read_next

FILMS, FRAMES = 60, 400  # that are looked at, at most
LEAST_PAIRS, LEAST_FILMS = 300, 3
LEAST_CUTS = 0.01  # of all pairs: where nothing is ever cut, nothing tells a cut
TWO_HILLS = 0.6  # of the variance lies between the sides; of one normal hill it is 0.64 at a cut in its middle
WITHIN = (0.5, 0.95)  # of the way from unrelated pictures to equal ones
AGAIN = 4  # times as many pairs as before are worth another look
PAIRS = "shot_pairs"

Cosines = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sample:
    """Cosines of neighbouring frames, and the mean cosine of frames of different videos."""

    neighbours: Cosines
    unrelated: float
    films: int


def calibrate_shots(space: Space) -> float | None:
    """Measure, and keep the mark for new frames of this space; None where nothing new could be learnt."""
    if len(_complete(space)[:LEAST_FILMS]) < LEAST_FILMS:
        return None
    known = int(space.calibration.get(PAIRS, 0))
    pairs = _pairs_at_most(space)
    if pairs < max(LEAST_PAIRS, AGAIN * known):
        return None
    sample = take_sample(space)
    if len(sample.neighbours) < LEAST_PAIRS or sample.films < LEAST_FILMS:
        return None
    mark = find_mark(sample)
    found = {} if mark is None else {MARK: round(mark, 4)}
    calibration = {**space.calibration, **found, PAIRS: pairs}
    Space.objects.filter(pk=space.pk).update(calibration=calibration)
    space.calibration = calibration
    return mark


def find_mark(sample: Sample) -> float | None:
    """The cosine that parts cuts from the rest; None where neighbours are all of one kind."""
    cosines = np.sort(sample.neighbours.astype(np.float64))
    count = len(cosines)
    below = np.arange(1, count)
    summed = np.cumsum(cosines)
    low, high = summed[:-1] / below, (summed[-1] - summed[:-1]) / (count - below)
    between = below * (count - below) / count**2 * (high - low) ** 2
    best = int(between.argmax())
    total = float(cosines.var())
    if total == 0 or between[best] / total < TWO_HILLS or (best + 1) / count < LEAST_CUTS:
        return None
    mark = float((low[best] + high[best]) / 2)
    least, most = (sample.unrelated + share * (1 - sample.unrelated) for share in WITHIN)
    return min(max(mark, least), most)


def take_sample(space: Space) -> Sample:
    """Of the newest videos that are complete in `space`, some frames from the beginning of each."""
    neighbours, means = [], []
    for film in _complete(space).order_by("-pk")[:FILMS]:
        rows, _ = read_next(space, film, None, FRAMES)
        vectors = _unit(rows.vectors)
        if len(vectors) > 1:
            neighbours.append((vectors[:-1] * vectors[1:]).sum(axis=1))
            means.append(vectors.mean(axis=0))
    found = np.concatenate(neighbours) if neighbours else np.zeros(0, dtype=np.float32)
    return Sample(found, _unrelated(means), len(means))


def _complete(space: Space) -> QuerySet[Asset, int]:
    """Videos of more than one frame whose vectors are all there."""
    done = Work.objects.filter(step=Step.ENCODE, target=space.slug, state=WorkState.DONE).values("asset")
    second = Frame.objects.filter(asset=OuterRef("pk"), at__gt=0)
    found = Asset.objects.filter(Exists(second), kind=Kind.VIDEO, pk__in=done)
    return found.order_by().values_list("pk", flat=True)


def _pairs_at_most(space: Space) -> int:
    """Cheap: how many frames the space's complete videos have, up to what is looked at."""
    done = Work.objects.filter(step=Step.ENCODE, target=space.slug, state=WorkState.DONE).values("asset")
    return int(Frame.objects.filter(asset__kind=Kind.VIDEO, asset__in=done)[: FILMS * FRAMES].count())


def _unrelated(means: list[Cosines]) -> float:
    """The mean cosine of all pairs of frames of different videos: that of the videos' means, without their own."""
    if len(means) < 2:
        return 0.0
    stacked = np.stack(means)
    products = stacked @ stacked.T
    count = len(means)
    return float((products.sum() - np.trace(products)) / (count * (count - 1)))


def _unit(vectors: Vectors) -> Vectors:
    lengths: Vectors = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return np.asarray(vectors / lengths, dtype=np.float32)

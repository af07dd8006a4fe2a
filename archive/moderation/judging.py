"""What policies find in vectors: one matrix product, then the assets that reach a threshold, and where in a video."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from archive.concepts.scoring import Scores, best_by_asset, score
from archive.concepts.vectors import ConceptVectors, find_concept_vectors, version_vectors
from archive.models import Asset, Concept, ConceptHead, Frame, Space
from archive.moderation.flagging import Doubt, raise_flags
from archive.moderation.moments import moments_of
from archive.moderation.policies import Line, lines_on
from archive.moderation.quarantine import hold_assets
from archive.vectors import Rows


@dataclass(frozen=True)
class Found:
    """A line, and the doubtful frames of each asset: {asset: [(frame, score)]}."""

    line: Line
    assets: dict[int, list[tuple[int, float]]]


def flag_by_scores(space: Space, rows: Rows, concepts: ConceptVectors, scores: Scores, whole: bool) -> int:
    """A heeder of `archive.concepts.heeding`: in the transaction that stores vectors, so that nobody sees an asset
    whose vectors say that it has to be hidden; and whenever a concept or the searched space is another one.

    Whole or not: a flag is raised by any frame, and taken back by people only.
    """
    hold_assets(rows.assets)  # before the policies, as a move does
    lines = lines_on(space)
    return raise_flags(space, find_doubts(rows, concepts.ids, scores, lines)) if lines else 0


def judge(space: Space, rows: Rows, lines: Sequence[Line]) -> list[Doubt]:
    """What these lines find in stored vectors."""
    concepts = find_concept_vectors(space, Concept.objects.filter(pk__in=[line.concept for line in lines]))
    if not rows.assets or not concepts.ids:
        return []
    return find_doubts(rows, concepts.ids, score(rows.vectors, concepts), lines)


def find_doubts(rows: Rows, concepts: Sequence[int], scores: Scores, lines: Sequence[Line]) -> list[Doubt]:
    """What reaches the first threshold of a line in a collection that its policy covers. `scores` (m, n): a row for
    each vector, a column for each concept."""
    columns = {concept: scores[:, place] for place, concept in enumerate(concepts)}
    found = [Found(line, _reached(rows, columns[line.concept], line)) for line in lines if line.concept in columns]
    return _doubts(found)


def scores_of(space: Space, rows: Rows, concept: int, head: ConceptHead | None) -> dict[int, float]:
    """The best score of each asset, by one version of the concept."""
    vectors = version_vectors(space, concept, head)
    if not rows.assets or not vectors.ids:
        return {}
    best = best_by_asset(rows, score(rows.vectors, vectors))
    return dict(zip(best.assets, best.scores[:, 0].tolist(), strict=True))


def _reached(rows: Rows, scores: Scores, line: Line) -> dict[int, list[tuple[int, float]]]:
    found: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for place in np.flatnonzero(scores >= line.review_at).tolist():
        found[rows.assets[place]].append((rows.frames[place], float(scores[place])))
    return found


def _doubts(found: Sequence[Found]) -> list[Doubt]:
    assets = {asset for one in found for asset in one.assets}
    places = dict(Asset.objects.filter(pk__in=assets).values_list("pk", "collection"))
    frames = [frame for one in found for several in one.assets.values() for frame, _ in several]
    seconds = dict(Frame.objects.filter(pk__in=frames).values_list("pk", "at"))
    return [
        _doubt(one.line, asset, [(seconds[frame], frame, at) for frame, at in several if frame in seconds])
        for one in found
        for asset, several in one.assets.items()
        if asset in places and one.line.covers(places[asset])
    ]


def _doubt(line: Line, asset: int, frames: list[tuple[float, int, float]]) -> Doubt:
    best = max((at for _, _, at in frames), default=line.review_at)
    hides = line.quarantine_at is not None and best >= line.quarantine_at
    return Doubt(asset, line.concept, best, hides, moments_of(frames))

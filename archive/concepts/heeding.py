"""Heeding: who acts on scores, at ingest and when stored vectors are walked over. One product serves all of them."""

from __future__ import annotations

from collections.abc import Callable

from archive.concepts.scoring import Scores, score
from archive.concepts.tagging import tag_by_scores
from archive.concepts.vectors import ConceptVectors
from archive.models import Space
from archive.vectors import Rows

Heeder = Callable[[Space, Rows, ConceptVectors, Scores, bool], int]

HEEDERS: tuple[Heeder, ...] = (tag_by_scores,)
"""Each gets the space, m rows, n concepts of any kind, their scores (m, n), and whether the rows are all the frames of
their assets; returns how much it changed. They are quick and write in the caller's transaction, may be shown the same
rows again, and never touch what a person decided."""


def heed(space: Space, rows: Rows, concepts: ConceptVectors, *, whole: bool) -> int:
    """Score `rows` and show the scores to everyone who acts on them; returns how much they changed."""
    if not rows.assets or not len(concepts):
        return 0
    scores = score(rows.vectors, concepts)
    return sum(heeder(space, rows, concepts, scores, whole) for heeder in HEEDERS)

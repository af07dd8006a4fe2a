"""Alerts on sequences: a video matches where all of it is found, as on the search page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from search.alerts_asking import Asked
from search.judging import Judge
from search.sequences import Chain

AT_ONCE = 10  # videos of one statement: of two hours each, with five terms, 360,000 frames are compared in it


@dataclass(frozen=True)
class InOrder:
    """A video in which all terms are found; `closeness` of its first moment, which begins `at` this second."""

    asset: int
    at: float
    closeness: float


def find_in_order(asked: Asked, videos: Sequence[int]) -> list[InOrder]:
    """Those of `videos`, which the asker may see, that match the whole sequence well."""
    assert asked.terms is not None
    judge = Judge(asked.query, asked.terms, asked.space, asked.user, asked.sight)
    chains: list[Chain] = []
    for start in range(0, len(videos), AT_ONCE):
        chains += judge.chains(videos[start : start + AT_ONCE])
    well = [chain for chain in chains if chain.well]
    if not well:
        return []
    best = [max(chain.moments[n].score for chain in chains) for n in range(len(judge.steps))]
    if any(score < step.line.best for score, step in zip(best, judge.steps, strict=True)) and not asked.finds_any():
        return []
    return [InOrder(chain.asset_id, chain.moments[0].at, chain.moments[0].score) for chain in well]

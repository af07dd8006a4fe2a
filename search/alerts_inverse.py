"""The inverse search: not one query against all vectors, but all queries against the vectors that are new.

However many frames the new films have, `ROWS` of them are multiplied at once, and the best one of each asset is kept.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from archive.models import Frame, Space
from archive.vectors import Rows, read_some
from search.alerts_asking import Asked
from search.alerts_sequences import find_in_order
from search.candidates import find_candidates
from search.exclusion import penalty
from search.failures import TooSlow
from search.neighbours import tables_that_may_go
from search.phrases import find_sayings_of_many

log = logging.getLogger(__name__)
Numbers = npt.NDArray[np.float32]
ROWS = 8192  # 25 MB of vectors


@dataclass(frozen=True)
class Matched:
    """`closeness` is 0 and `frame` is 0 where no vector decided."""

    asset: int
    frame: int = 0
    closeness: float = 0.0


@dataclass(frozen=True)
class Best:
    """An asset's frame that is closest to what is wanted, and how close it is to each of the unwanted."""

    frame: int
    closeness: float
    unwanted: list[float]


def find_matches(questions: Sequence[Asked], space: Space, assets: Sequence[int]) -> list[list[Matched]]:
    """For each of `questions`, asked in `space`, those of `assets` that match it well.

    A few products of matrices and one look-up of words for all questions; Postgres is asked again only about those
    that found something, whether their owners may see it.
    """
    best: list[dict[int, Best]] = [{} for _ in questions]
    for rows in _read(space, assets):
        for kept, asked, product in zip(best, questions, _products(questions, rows), strict=True):
            _keep_best(kept, asked, rows, product)
    sayings = find_sayings_of_many(assets, [(asked.words, asked.query.unwanted) for asked in questions])
    return [_answer(asked, assets, said, kept) for asked, said, kept in zip(questions, sayings, best, strict=True)]


def _answer(asked: Asked, assets: Sequence[int], said: set[int], kept: dict[int, Best]) -> list[Matched]:
    """Nothing where it takes too long: one question must not hold up all others, and these assets for ever."""
    try:
        return _in_order(asked, kept) if asked.query.sequence else _judge(asked, assets, said, _near(asked, kept))
    except TooSlow:
        log.warning("an alert of %s took too long over %d assets, and was told of none", asked.user, len(assets))
        return []


def moments_of(matches: Sequence[Matched]) -> dict[int, float]:
    """Seconds of the frames that matched."""
    frames = [match.frame for match in matches if match.frame]
    return dict(Frame.objects.filter(pk__in=frames).values_list("pk", "at")) if frames else {}


def _read(space: Space, assets: Sequence[int]) -> Iterator[Rows]:
    """All frames of `assets`, `ROWS` at a time."""
    with tables_that_may_go():
        yield from read_some(space, assets, ROWS)


def _products(questions: Sequence[Asked], rows: Rows) -> list[Numbers]:
    """Each question's closenesses (frames, terms), its wanted term first: one product of matrices for all of them."""
    terms = [[asked.wanted, *(vector for vector, _, _ in asked.unwanted)] for asked in questions]
    vectors = [vector for some in terms for vector in some if vector is not None]
    if not vectors or not rows.assets:
        return [np.zeros((len(rows.assets), 0), dtype=np.float32) for _ in questions]
    product = rows.vectors @ np.stack(vectors).T
    ends = np.cumsum([sum(vector is not None for vector in some) for some in terms])
    return list(np.split(product, ends[:-1], axis=1))


def _keep_best(kept: dict[int, Best], asked: Asked, rows: Rows, product: Numbers) -> None:
    """The frame of each asset that is closest to what is wanted, of those above the line: a penalty raises nothing."""
    if asked.wanted is None:
        return
    for place in np.flatnonzero(product[:, 0] >= asked.line.well).tolist():
        asset, closeness = rows.assets[place], float(product[place, 0])
        if asset not in kept or closeness > kept[asset].closeness:
            kept[asset] = Best(rows.frames[place], closeness, product[place, 1:].tolist())


def _in_order(asked: Asked, kept: dict[int, Best]) -> list[Matched]:
    """Of those that show the first term of a sequence, the ones that show all of it."""
    found = find_in_order(asked, _allowed(asked, kept)) if kept else []
    frames = Frame.objects.filter(asset__in=[one.asset for one in found], at__in=[one.at for one in found])
    at = {(asset, second): pk for pk, asset, second in frames.values_list("pk", "asset", "at")}
    return [Matched(one.asset, at.get((one.asset, one.at), 0), one.closeness) for one in found]


def _judge(asked: Asked, assets: Sequence[int], said: set[int], near: dict[int, Matched]) -> list[Matched]:
    if not asked.query.asks:
        return [Matched(asset) for asset in _allowed(asked, assets)]
    allowed = _allowed(asked, {*said, *near})
    said = said & set(allowed)
    close = asked.beside_best({asset: near[asset].closeness for asset in allowed if asset in near})
    best = max((near[asset].closeness for asset in close), default=0.0)
    if not said and close and not asked.reaches(best):
        close = set()
    return [near.get(asset, Matched(asset)) for asset in allowed if asset in said or asset in close]


def _allowed(asked: Asked, assets: Collection[int]) -> list[int]:
    """Those that its owner may see, and that pass its filters."""
    if not assets:
        return []
    candidates = find_candidates(asked.query, asked.user).filter(pk__in=assets)
    return list(candidates.order_by("pk").values_list("pk", flat=True))


def _near(asked: Asked, kept: dict[int, Best]) -> dict[int, Matched]:
    """What lies above the line, by its best frame, after what it loses for showing the unwanted."""
    found: dict[int, Matched] = {}
    for asset, best in kept.items():
        closeness = best.closeness
        for likeness, (_, unwanted, weight) in zip(best.unwanted, asked.unwanted, strict=True):
            closeness -= penalty(likeness, unwanted, asked.background, weight)
        if closeness >= asked.line.well:
            found[asset] = Matched(asset, best.frame, closeness)
    return found

"""How the frames of a video become one closeness to a query, measured on films whose scenes are known.

- `mean`: the query against the mean of the frames, made unit again; one vector a video, whatever is asked.
- `best moment`: the closest frame decides. What search does.
- `weighted mean`: as the mean, but frames count by a softmax of their closeness to the query over a temperature. A
  high one is the mean, a low one the best moment. Source: Bain et al., "A CLIP-Hitchhiker's Guide to Long Video
  Retrieval", arXiv 2205.08508.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log2

import numpy as np
import numpy.typing as npt

from archive.vectors import Vector

# Of 0.005, 0.01, 0.02, 0.05 and 0.1 the best on films of other seeds than those that are measured: docs/video.md.
TEMPERATURE = 0.01
WITHIN = 1.0  # second: so near to the beginning of its scene a hit opens what was asked for
TOP = 10
Closeness = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Film:
    """`vectors` (n, 768) of its frames, `moments` (n): the second at which the shot of each of them begins."""

    vectors: Vector
    moments: Sequence[float]


@dataclass(frozen=True)
class Asked:
    """`right`: the numbers of the films that show it, each with the seconds from which on they do."""

    vector: Vector
    right: Mapping[int, Sequence[float]]


Pooling = Callable[[Vector, Vector], float]
"""Vectors of frames (n, 768) and of a query (768,) to a closeness."""


def mean(frames: Vector, query: Vector) -> float:
    pooled = frames.mean(axis=0)
    return float(pooled @ query / np.linalg.norm(pooled))


def best_moment(frames: Vector, query: Vector) -> float:
    return float((frames @ query).max())


def weighted_mean(temperature: float) -> Pooling:
    def pool(frames: Vector, query: Vector) -> float:
        close = frames @ query
        weights = np.exp((close - close.max()) / temperature)
        pooled = weights @ frames
        return float(pooled @ query / np.linalg.norm(pooled))

    return pool


POOLINGS: dict[str, Pooling] = {
    "mean": mean,
    "best moment": best_moment,
    "weighted mean": weighted_mean(TEMPERATURE),
}


@dataclass(frozen=True)
class Found:
    """Shares from 0 to 1. `r1`, `r5`: of the questions of which a right film is the first, or among the first five;
    `second`: of which the first film is right and opens at the scene; `ndcg`: nDCG@10, each right film counting one."""

    pooling: str
    asked: int
    r1: float
    r5: float
    ndcg: float
    second: float

    def as_dict(self) -> dict[str, float | str]:
        shares = {"R@1": self.r1, "R@5": self.r5, "nDCG@10": self.ndcg, "second": self.second}
        return {"pooling": self.pooling, "asked": self.asked, **{name: round(v, 4) for name, v in shares.items()}}


def measure(films: Sequence[Film], asked: Sequence[Asked], name: str, pooling: Pooling) -> Found:
    """Every film is ranked for every question, and opened at the moment of its closest frame."""
    ranked = [_ranking(films, one.vector, pooling) for one in asked]
    pairs = list(zip(ranked, asked, strict=True))
    return Found(
        pooling=name,
        asked=len(asked),
        r1=_share(_rank(order, one) < 1 for order, one in pairs),
        r5=_share(_rank(order, one) < 5 for order, one in pairs),
        ndcg=sum(ndcg(order[:TOP], one.right) for order, one in pairs) / len(pairs),
        second=_share(_opens_at_it(films, order[0], one) for order, one in pairs),
    )


def winner(*kinds: Sequence[Found]) -> str:
    """The pooling with the best sum of nDCG@10 and of the share that opens right, over all kinds of questions."""
    return max(
        POOLINGS, key=lambda name: sum(one.ndcg + one.second for kind in kinds for one in kind if one.pooling == name)
    )


def ndcg(order: Sequence[int], right: Mapping[int, object]) -> float:
    gained = sum(1 / log2(rank + 2) for rank, film in enumerate(order) if film in right)
    ideal = sum(1 / log2(rank + 2) for rank in range(min(len(right), TOP)))
    return gained / ideal


def opens_at(film: Film, query: Vector) -> float:
    """The second at which a hit opens."""
    return film.moments[int(np.argmax(film.vectors @ query))]


def _ranking(films: Sequence[Film], query: Vector, pooling: Pooling) -> list[int]:
    scores = np.array([pooling(film.vectors, query) for film in films])
    return [int(film) for film in np.argsort(-scores, kind="stable")]


def _rank(order: Sequence[int], one: Asked) -> int:
    return next(rank for rank, film in enumerate(order) if film in one.right)


def _opens_at_it(films: Sequence[Film], first: int, one: Asked) -> bool:
    starts = one.right.get(first, ())
    return any(abs(opens_at(films[first], one.vector) - start) <= WITHIN for start in starts)


def _share(hits: Iterable[bool]) -> float:
    counted = list(hits)
    return sum(counted) / len(counted)

"""A small head: logistic regression on stored vectors that begins at what the words of a concept say.

Twenty judgements do not tell 768 numbers. So the weights are drawn towards the words' own (a Gaussian prior around
them, solved in the span of the judged pictures by Newton's method), and how strongly is chosen by cross-validation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from archive.concepts.words import unit
from archive.vectors import Vector

Doubles = npt.NDArray[np.float64]
Truth = npt.NDArray[np.bool_]

STRENGTHS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
SLOPE = 2.0  # of the prior: how much surer the words are with every spread above their line
FOLDS = 5
STEPS = 25
FURTHEST = 8.0  # that a step moves a logit: a whole one may overshoot for ever
STILL = 1e-4  # a change of logits that no decision hangs on


@dataclass(frozen=True)
class Words:
    """What a concept's words say, where learning begins: `vector` (768,), its line as a score, and the mean and
    spread of its closeness to pictures at large, whose mean vector is `centre` (768,)."""

    vector: Vector
    line: float
    spread: float
    centre: Vector

    def seen(self, vectors: Vector) -> Doubles:
        """(n, 768): pictures as they lie to the centre, in spreads of the words' closeness."""
        placed: Doubles = (vectors.astype(np.float64) - self.centre) / self.spread
        return placed


@dataclass(frozen=True)
class Head:
    """`vector` (768,) unit length; from `closeness` on a picture shows the concept."""

    vector: Vector
    closeness: float


@dataclass(frozen=True)
class Measured:
    """Of judgements that a head did not see when it judged them (`precision`, `recall`), and of the words alone."""

    precision: float
    recall: float
    words_precision: float
    words_recall: float
    strength: float
    folds: int


def learn(vectors: Vector, good: Truth, words: Words) -> tuple[Head, Measured]:
    """(n, 768) judged pictures, of both kinds; order matters to the folds alone."""
    seen = words.seen(vectors)
    said = _logits_of(words, seen)
    folds = _folds(good)
    unseen = {strength: _cross_validated(seen, said, good, folds, strength) for strength in STRENGTHS}
    best = min(STRENGTHS, key=lambda strength: _loss(unseen[strength], good))
    precision, recall = shares(unseen[best] >= 0, good)
    before = shares(said >= 0, good)
    weights, bias = _fit(seen, said, good, best)
    direction = SLOPE * words.vector.astype(np.float64) + seen.T @ weights
    offset = bias - SLOPE * words.line
    length = float(np.linalg.norm(direction))
    closeness = float(words.centre @ direction) / length - offset * words.spread / length
    measured = Measured(precision, recall, before[0], before[1], best, FOLDS)
    return Head(unit(direction.astype(np.float32)), closeness), measured


def shares(told: Truth, good: Truth) -> tuple[float, float]:
    """Precision and recall; a precision of nothing told is 1, for nothing wrong was said."""
    hits = int((told & good).sum())
    return round(hits / int(told.sum()) if told.any() else 1.0, 4), round(hits / max(1, int(good.sum())), 4)


def _logits_of(words: Words, seen: Doubles) -> Doubles:
    """What the words alone say: `SLOPE` times how far above their line a picture is."""
    said: Doubles = SLOPE * (seen @ words.vector.astype(np.float64) - words.line)
    return said


def _fit(seen: Doubles, said: Doubles, good: Truth, strength: float) -> tuple[Doubles, float]:
    """Weights (n,) on the judged pictures, and a bias, beside what the words say. Both kinds weigh the same.

    Newton's method; the kernel is divided out of each step (as in Rasmussen and Williams, Gaussian Processes for
    Machine Learning, 3.4), so that a step is one solution of n + 1 equations and no product of matrices.
    """
    n = len(good)
    kernel = seen @ seen.T
    share = np.where(good, 0.5 / max(1, good.sum()), 0.5 / max(1, (~good).sum())) * n
    weights, bias, own = np.zeros(n), 0.0, np.zeros(n)
    step = np.empty((n + 1, n + 1))
    aim = np.empty(n + 1)
    for _ in range(STEPS):
        sure = _sigmoid(said + own)
        bend = share * sure * (1 - sure)
        step[:n, :n] = bend[:, None] * kernel
        step[np.arange(n), np.arange(n)] += strength
        step[:n, n], step[n, :n], step[n, n] = bend, bend @ kernel, bend.sum() + 1.0
        aim[:n] = bend * own + share * (good - sure)
        aim[n] = aim[:n].sum()
        found = np.linalg.solve(step, aim)
        change = kernel @ found[:n] + found[n] - own
        furthest = float(np.abs(change).max())
        part = min(1.0, FURTHEST / max(furthest, STILL))
        weights, bias = weights + part * (found[:n] - weights), bias + part * (float(found[n]) - bias)
        own = own + part * change
        if furthest < STILL:
            break
    return weights, bias


def _cross_validated(
    seen: Doubles, said: Doubles, good: Truth, folds: npt.NDArray[np.intp], strength: float
) -> Doubles:
    """What a head says of each picture that learnt from the other folds only."""
    told = np.zeros(len(good))
    for fold in range(FOLDS):
        out = folds == fold
        if not out.any():
            continue
        weights, bias = _fit(seen[~out], said[~out], good[~out], strength)
        told[out] = said[out] + (seen[out] @ seen[~out].T) @ weights + bias
    return told


def _folds(good: Truth) -> npt.NDArray[np.intp]:
    """Each kind is dealt to the folds in turn."""
    folds = np.zeros(len(good), dtype=np.intp)
    for kind in (good, ~good):
        folds[kind] = np.arange(int(kind.sum())) % FOLDS
    return folds


def _loss(told: Doubles, good: Truth) -> float:
    share = np.where(good, 0.5 / max(1, good.sum()), 0.5 / max(1, (~good).sum()))
    return float((share * np.logaddexp(0, np.where(good, -told, told))).sum())


def _sigmoid(logits: Doubles) -> Doubles:
    made: Doubles = 1.0 / (1.0 + np.exp(-np.clip(logits, -60, 60)))
    return made

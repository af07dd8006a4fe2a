"""What thumbs are worth: a concept that prompts get wrong, before and after some judgements, on pictures never judged.

As on the page: first the best of what nobody judged, then the near misses. The answers are the truth about the
pictures, which somebody who judges knows.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from archive.concepts.background import STANDS_OUT
from archive.concepts.heads import most_informative
from archive.concepts.learning import Head, Words, learn, shares
from archive.concepts.words import TEMPLATES, ensemble, in_templates
from archive.vectors import Vector

FIRST, ROUND = 10, 5
ALONE = 2.0

Truth = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Shares:
    """Of pictures that were never judged: precision and recall at the line, and mean precision over all lines."""

    precision: float
    recall: float
    average_precision: float


@dataclass(frozen=True)
class Lesson:
    prompt: str
    thumbs: int
    accepted: int
    unseen: int
    before: Shares
    after: Shares

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def teach(
    prompt: str,
    texts: dict[str, Vector],
    marked: float | None,
    pool: Vector,
    known: Truth,
    test: tuple[Vector, Truth],
    thumbs: int = 20,
) -> Lesson:
    """`pool` (n, 768) are pictures that may be judged, `known` what is true of them; `test` are others. `marked` is the
    calibrated closeness of the model's space."""
    vector = ensemble(in_templates([prompt], TEMPLATES), texts)
    closeness = pool @ vector
    mean, spread = float(closeness.mean()), float(closeness.std())
    line = ALONE if marked is None else max(STANDS_OUT, (marked - mean) / spread)
    words = Words(vector, line, spread, pool.mean(axis=0))
    judged = _judge(pool, known, words, (closeness - mean) / spread, thumbs)
    head, _ = learn(pool[judged], known[judged], words)
    unseen, truth = test
    return Lesson(
        prompt=prompt,
        thumbs=thumbs,
        accepted=int(known[judged].sum()),
        unseen=len(truth),
        before=_shares(unseen @ vector, mean + line * spread, truth),
        after=_shares(unseen @ head.vector, head.closeness, truth),
    )


def _judge(pool: Vector, known: Truth, words: Words, scores: Any, thumbs: int) -> list[int]:
    """The pictures that get a thumb, in turn."""
    judged: list[int] = np.argsort(-scores, kind="stable")[:FIRST].tolist()
    everything = list(range(len(pool)))
    while len(judged) < thumbs:
        good = known[judged]
        count = min(ROUND, thumbs - len(judged))
        if good.all() or not good.any():  # one kind teaches nothing: look further down
            rest = [n for n in np.argsort(-scores).tolist() if n not in judged]
            judged += rest[:: max(1, len(rest) // count)][:count]
            continue
        head: Head = learn(pool[judged], good, words)[0]
        told = (pool @ head.vector).astype(np.float32)
        judged += most_informative(everything, pool, told, head.closeness, set(judged), count)
    return judged


def _shares(closeness: Vector, line: float, truth: Truth) -> Shares:
    precision, recall = shares(closeness >= line, truth)
    ranked = truth[np.argsort(-closeness, kind="stable")]
    at = np.cumsum(ranked) / np.arange(1, len(ranked) + 1)
    return Shares(precision, recall, round(float((at * ranked).sum() / max(1, int(ranked.sum()))), 4))

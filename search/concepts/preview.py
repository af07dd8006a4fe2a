"""What a concept would do, before it is saved: the best pictures, those at the border, and how many would be tagged.

Counted on the pictures that the person may see and where the concept is looked for: on all of them, or where there are
more than `MOST`, or films of more than `MOST_ROWS` frames, on a fixed random sample. Nothing is written, and no picture
is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from archive.concepts.background import read_background
from archive.concepts.heads import find_head, is_reworded
from archive.concepts.scoring import best_by_asset, score
from archive.concepts.vectors import ConceptVectors, examples_of, head_vectors, make_concept, stack
from archive.concepts.words import every_text
from archive.models import Asset, Collection, Concept, ConceptExample, ConceptHead, Space, Status
from archive.vectors import PART, Vector, read_some
from search.asking import asked_of_the_worker
from search.neighbours import tables_that_may_go
from search.spaces import active_space, asked_again
from workers import client

if TYPE_CHECKING:
    from archive.models.collections import Person

MOST = 20_000
MOST_ROWS = 250_000  # frames that are read for one look: some seconds
SHOWN = 12
BINS = 48
TALL = 120

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Scored:
    """Pictures with their scores (n,), and how many there are in all."""

    assets: list[int]
    scores: Floats
    total: int

    @property
    def whole(self) -> bool:
        return len(self.assets) >= self.total

    def count_from(self, line: float) -> int:
        """How many of all pictures reach the line, as far as the sample tells."""
        share = float((self.scores >= line).mean()) if self.assets else 0.0
        return round(share * (len(self.assets) if self.whole else self.total))


@dataclass(frozen=True)
class Bin:
    """A bar of the histogram, from `start` to `end` in scores; drawn at `x`, `y` and so `tall` on 480 by 120."""

    start: float
    end: float
    count: int
    x: int
    y: float
    tall: float


@dataclass(frozen=True)
class Preview:
    """`best` come first; `above` and `below` lie on both sides of the border, the nearest to it first.

    `head` is what was learnt and is in use; `reworded`: it would be left, for the words are others than they were.
    """

    scored: Scored
    line: float
    calibrated: float
    would_be: int
    best: list[Asset]
    above: list[Asset]
    below: list[Asset]
    bins: list[Bin]
    head: ConceptHead | None = None
    reworded: bool = False

    @property
    def share(self) -> float:
        """How many pictures one of the scored ones stands for."""
        return self.scored.total / max(1, len(self.scored.assets))

    @property
    def low(self) -> float:
        return self.bins[0].start if self.bins else self.line - 1

    @property
    def high(self) -> float:
        return self.bins[-1].end if self.bins else self.line + 1


def preview(
    concept: Concept, scope: Sequence[Collection], examples: Sequence[ConceptExample], line: float | None, user: Person
) -> Preview:
    """`line` is the score that somebody chose, None: the calibrated one. Raises `NotAnswered` and its kin."""

    def look() -> Preview:
        space = active_space()
        head = find_head(concept, space)
        reworded = head is not None and _is_reworded(concept, examples)
        made = head_vectors(head) if head and not reworded else make_draft(space, concept, scope, examples)
        scored = score_seen(space, made, scope, user)
        chosen = float(made.thresholds[0]) if line is None else line
        return replace(lay_out(scored, chosen, float(made.thresholds[0]), user), head=head, reworded=reworded)

    return asked_again(look)


def _is_reworded(draft: Concept, examples: Sequence[ConceptExample]) -> bool:
    saved = Concept.objects.get(pk=draft.pk)
    return is_reworded(saved, examples_of([saved])[saved.pk], draft, examples)


def make_draft(
    space: Space, concept: Concept, scope: Sequence[Collection], examples: Sequence[ConceptExample]
) -> ConceptVectors:
    """The vectors that an unsaved concept would have. Raises `EncoderUnavailable` and `AskedTooOften`."""
    with asked_of_the_worker():
        read: Mapping[str, Vector] = client.encode_texts(space, every_text([concept]))
    with tables_that_may_go():
        made = make_concept(concept, read, read_background(space, [one.pk for one in scope]), examples)
    return stack([made], [concept.pk or 0], [made.line])


def score_seen(
    space: Space, concept: ConceptVectors, scope: Sequence[Collection], user: Person, *, curated: bool = False
) -> Scored:
    """Of one concept; the ids of assets are random, so the first ones by them are a fair sample."""
    seen = Asset.objects.visible_to(user).filter(status=Status.READY)
    if curated:
        seen = seen.filter(pk__in=Asset.objects.curated_by(user).order_by().values("pk"))
    if scope:
        seen = seen.filter(collection__in=[one.pk for one in scope])
    chosen = list(seen.order_by("uuid").values_list("pk", flat=True)[: MOST + 1])
    total = seen.count() if len(chosen) > MOST else len(chosen)
    with tables_that_may_go():
        best, looked = _best_of(space, concept, chosen[:MOST])
    assets = sorted(best)
    scores = np.asarray([best[asset] for asset in assets], dtype=np.float32)
    return Scored(assets, scores, total if looked < len(chosen) else len(assets))


def _best_of(space: Space, concept: ConceptVectors, chosen: Sequence[int]) -> tuple[dict[int, float], int]:
    """The best score of each asset that has vectors, and how many of `chosen` were looked at: all, or where films
    have too many frames the first ones. Only scores are kept."""
    best: dict[int, float] = {}
    looked = read = 0
    at_once = 8
    while looked < len(chosen) and read < MOST_ROWS:
        some = chosen[looked : looked + at_once]
        for rows in read_some(space, some):
            part = best_by_asset(rows, score(rows.vectors, concept))
            for asset, found in zip(part.assets, part.scores[:, 0].tolist(), strict=True):
                best[asset] = max(found, best.get(asset, found))
            read += len(rows.assets)
        looked += len(some)
        at_once = min(4 * at_once, max(1, PART * looked // max(1, read)), 2000)
    return best, looked


def lay_out(scored: Scored, line: float, calibrated: float, user: Person) -> Preview:
    order = np.argsort(-scored.scores, kind="stable")
    border = int((scored.scores >= line).sum())
    best = order[:SHOWN]
    above, below = order[max(0, border - SHOWN // 2) : border][::-1], order[border : border + SHOWN // 2]
    picked = [scored.assets[n] for part in (best, above, below) for n in part.tolist()]
    # What was scored was permitted a moment ago; it is asked again where it is shown.
    known = {asset.pk: asset for asset in Asset.objects.visible_to(user).filter(pk__in=picked)}

    def shown(part: npt.NDArray[np.intp]) -> list[Asset]:
        return [known[scored.assets[n]] for n in part.tolist() if scored.assets[n] in known]

    return Preview(
        scored=scored,
        line=line,
        calibrated=calibrated,
        would_be=scored.count_from(line),
        best=shown(best),
        above=shown(above),
        below=shown(below),
        bins=histogram(scored.scores, line),
    )


def histogram(scores: Floats, line: float) -> list[Bin]:
    """Bars over all scores and the line, which is always in sight."""
    if not len(scores):
        return []
    low, high = min(float(scores.min()), line) - 0.25, max(float(scores.max()), line) + 0.25
    counts, edges = np.histogram(scores, BINS, (low, high))
    most = max(1, int(counts.max()))
    # Few of many are what matters here: a root lets a bar of one be seen beside one of thousands.
    heights = (np.sqrt(counts / most) * TALL).round(1).tolist()
    spans = [(round(start, 3), round(end, 3)) for start, end in pairwise(edges.tolist())]
    return [
        Bin(start, end, count, 10 * place, round(TALL - tall, 1), tall)
        for place, ((start, end), count, tall) in enumerate(zip(spans, counts.tolist(), heights, strict=True))
    ]

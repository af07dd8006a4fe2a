"""Zero-shot classification, as the CLIP paper does it (https://arxiv.org/abs/2103.00020, 3.1): which of some labels a
picture is, by a softmax over the model's scale times the closeness to each.

Two things beside the paper, for tags over-fire. A background competes as one label more: its closeness is the line that
a search for the labels would draw (search.relevance), so that it wins where the picture shows none of them well. And
each label says by its own line whether it is there, for a softmax always names something. A model with a bias (SigLIP,
https://arxiv.org/abs/2303.15343) says of each pair by itself how sure it is: sigmoid(scale x closeness + bias); those
do not add up to one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from archive.concepts.words import TEMPLATES, ensemble, in_templates
from archive.models import Space
from search.asking import asked_of_the_worker
from search.background import find_background
from search.query import BadQuery, Mode
from search.relevance import draw_line
from search.sight import sight_of
from workers import client

if TYPE_CHECKING:
    from archive.models.collections import Person

SCALE = 100.0  # of a model that does not say: where CLIP's training ends
FEWEST, MOST, LONGEST = 2, 100, 80

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Labels:
    """`vectors` (n, 768) unit length, one for each of `names`; `lines` (n,) are closenesses from which each is there,
    -inf where nothing tells."""

    names: tuple[str, ...]
    vectors: Floats
    lines: npt.NDArray[np.float64]

    @property
    def background(self) -> float:
        """The closeness with which none of them competes."""
        return float(self.lines.mean())


@dataclass(frozen=True)
class Guess:
    """`label` is empty for the background: none of these. `there`: whether the picture shows it well."""

    label: str
    probability: float
    there: bool

    def as_dict(self) -> dict[str, str | float | bool | None]:
        return {"label": self.label or None, "probability": round(self.probability, 4), "there": self.there}


def read_names(written: str) -> tuple[str, ...]:
    """Labels as people write them, with commas between. Raises `BadQuery`."""
    names = tuple({name.casefold(): name for part in written.split(",") if (name := " ".join(part.split()))}.values())
    if not FEWEST <= len(names) <= MOST:
        raise BadQuery({"labels": f"Write {FEWEST} to {MOST} labels, with commas between them: a cat, a dog."})
    if any(len(name) > LONGEST or "\0" in name for name in names):
        raise BadQuery({"labels": f"A label has at most {LONGEST} characters, all of them visible."})
    return names


def read_labels(space: Space, names: Sequence[str], user: Person) -> Labels:
    """Have the model of `space` read each label in all templates; lines are those of `user`, who may not see all.

    Raises `EncoderUnavailable` and `AskedTooOften`.
    """
    texts = {name: in_templates([name], TEMPLATES) for name in names}
    with asked_of_the_worker():
        read = client.encode_texts(space, [text for many in texts.values() for text in many])
    vectors = np.stack([ensemble(many, read) for many in texts.values()])
    sight = sight_of(user)
    lines = [
        draw_line(space, find_background(space, user, sight, vector), Mode.BALANCED, words_only=True).well
        for vector in vectors
    ]
    return Labels(tuple(names), vectors, np.asarray(lines))


def probabilities(space: Space, closeness: Floats) -> Floats:
    """(m, n) closenesses of pictures to labels to (m, n): a softmax over the labels, or the sigmoid of each pair."""
    logits = (space.logit_scale or SCALE) * closeness
    if space.logit_bias is not None:
        sure: Floats = 1.0 / (1.0 + np.exp(-(logits + space.logit_bias)))
        return sure
    share = np.exp(logits - logits.max(axis=1, keepdims=True))
    found: Floats = share / share.sum(axis=1, keepdims=True)
    return found


def guess(space: Space, pictures: Floats, labels: Labels, top: int) -> list[list[Guess]]:
    """For each picture (m, 768) the `top` most probable of the labels and the background, the most probable first."""
    closeness = pictures @ labels.vectors.T
    none = np.full((len(pictures), 1), labels.background, dtype=closeness.dtype)
    shares = probabilities(space, np.hstack([closeness, none]))
    best = np.argsort(-shares, axis=1, kind="stable")[:, :top]
    return [list(_told(labels, row, shares[n], closeness[n] >= labels.lines)) for n, row in enumerate(best)]


def _told(labels: Labels, row: npt.NDArray[np.intp], shares: Floats, there: npt.NDArray[np.bool_]) -> Iterable[Guess]:
    for place in row.tolist():
        if place < len(labels.names):
            yield Guess(labels.names[place], float(shares[place]), bool(there[place]))
        else:
            yield Guess("", float(shares[place]), False)

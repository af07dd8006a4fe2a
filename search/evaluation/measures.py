"""The measures themselves, each a number from 0 to 1, of one space."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from archive.models import Space
from archive.spaces import index_state
from archive.vectors import Vector, asset_vectors
from search.evaluation.judged import searchable
from search.neighbours import find_neighbours

ReadTexts = Callable[[Space, Sequence[str]], Vector]
"""Texts to unit vectors (n, 768), by the encoder of a space."""

PROMPT = "a photo of a {}"
QUERIES = 50  # of the recall: each is searched exactly as well
TOP = 10


@dataclass(frozen=True)
class Retrieval:
    """`at`: for each k the share of captions of which an asset with that caption is among the first k."""

    asked: int
    at: Mapping[int, float]


def measure_captions(
    space: Space, captions: Mapping[int, str], read: ReadTexts, ks: Sequence[int] = (1, 5)
) -> Retrieval | None:
    """Each caption is searched for as a person would. What the space does not hold cannot be found: a miss.

    Assets with the same caption are all right answers.
    """
    if not captions:
        return None
    right: dict[str, set[int]] = {}
    for asset, caption in captions.items():
        right.setdefault(caption.casefold(), set()).add(asset)
    texts = list(right)
    ranks = [_rank(space, vector, right[text], max(ks)) for text, vector in zip(texts, read(space, texts), strict=True)]
    return Retrieval(len(texts), {k: sum(rank <= k for rank in ranks) / len(ranks) for k in ks})


def _rank(space: Space, vector: Vector, right: set[int], depth: int) -> float:
    found = find_neighbours(space, vector, searchable(), depth).neighbours
    return next((rank for rank, one in enumerate(found, start=1) if one.asset_id in right), float("inf"))


def measure_labels(space: Space, labels: Mapping[int, str], read: ReadTexts) -> float | None:
    """Zero-shot accuracy: whether the closest of all labels, as `PROMPT`, is the asset's own."""
    if not labels:
        return None
    names = sorted(set(labels.values()))
    prompts = read(space, [PROMPT.format(name) for name in names])
    vectors = asset_vectors(space, list(labels))
    guessed = {asset: names[int(np.argmax(prompts @ vector))] for asset, vector in vectors.items()}
    return sum(guessed.get(asset) == label for asset, label in labels.items()) / len(labels)


def measure_index(space: Space, queries: Sequence[Vector]) -> float | None:
    """recall@10: the share of the exact ten nearest that a search finds. None where there is no index to lose any."""
    if not index_state(space).valid or not len(queries):
        return None
    return float(np.mean([_recall(space, vector) for vector in queries[:QUERIES]]))


def _recall(space: Space, vector: Vector) -> float:
    exact = {one.asset_id for one in find_neighbours(space, vector, searchable(), TOP, exact=True).neighbours}
    found = {one.asset_id for one in find_neighbours(space, vector, searchable(), TOP).neighbours}
    return len(exact & found) / len(exact) if exact else 1.0

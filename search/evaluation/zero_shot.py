"""Zero-shot accuracy with and without prompt templates (the CLIP paper, 3.1.4): what the templates are worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from archive.concepts.words import PLAIN, TEMPLATES, ensemble, in_templates
from archive.vectors import Vector

WAYS: Mapping[str, tuple[str, ...]] = {
    "name alone": PLAIN,
    "one template": ("a photo of a {}",),
    "ensemble": TEMPLATES,
}


@dataclass(frozen=True)
class Accuracy:
    """Shares of the pictures whose own label is the closest, or among the five closest."""

    top1: float
    top5: float


def measure_ways(
    pictures: Vector, labels: Sequence[str], read: Callable[[Sequence[str]], Vector]
) -> dict[str, Accuracy]:
    """(n, 768) pictures with a label each, among all labels that occur; `read` gives the vectors of texts."""
    names = sorted(set(labels))
    own = np.array([names.index(label) for label in labels])
    return {way: _measure(pictures, names, own, templates, read) for way, templates in WAYS.items()}


def _measure(
    pictures: Vector, names: Sequence[str], own: Any, templates: Sequence[str], read: Callable[[Sequence[str]], Vector]
) -> Accuracy:
    texts = in_templates(names, templates)
    known = dict(zip(texts, read(texts), strict=True))
    vectors = np.stack([ensemble(in_templates([name], templates), known) for name in names])
    closeness = pictures @ vectors.T
    ranks = (closeness > np.take_along_axis(closeness, own[:, None], axis=1)).sum(axis=1)
    return Accuracy(round(float((ranks < 1).mean()), 4), round(float((ranks < 5).mean()), 4))

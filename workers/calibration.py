"""Calibration: from which closeness on a model means it, measured on drawn scenes whose contents are known.

Closeness has another scale in every space, so a space brings its own marks. They are taken once, when it is
made, on pictures that every installation can draw; how well they hold for photographs depends on the model.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from random import Random

import numpy as np
import numpy.typing as npt

from workers.encoders.protocol import Encoder
from workers.scenes.captions import Terms, matches, short_queries
from workers.scenes.drawing import draw
from workers.scenes.scene import draw_distinct_scenes

SEED = 4242
SCENES = 96
TEXTS = 160
SIZE = (384, 256)
BATCH = 16
# So many of the true pairs lie above the marks.
BALANCED, STRICT = 0.92, 0.7
# So many of the questions that have an answer have their best hit above this one.
BEST = 0.85

LEAST = 0.75  # of what tells true from false pairs; below, its marks would mean nothing

_known: dict[str, dict[str, float]] = {}


@dataclass(frozen=True)
class Calibration:
    """Closenesses (inner products of unit vectors): `search.relevance` draws its line by them."""

    balanced: float
    strict: float
    best: float


def calibrate(encoder: Encoder) -> dict[str, float]:
    """The marks of an encoder, rounded; none for one that does not tell drawings apart.

    Takes a second with a small model and some with a large one; once a process for each encoder.
    """
    key = encoder.identity.fingerprint
    if key not in _known:
        _known[key] = _measure(encoder)
    return _known[key]


def _measure(encoder: Encoder) -> dict[str, float]:
    scenes = draw_distinct_scenes(SEED, SCENES)
    pictures = [encoder.prepare(draw(scene, *SIZE)) for scene in scenes]
    shown = np.concatenate([encoder.encode_pictures(pictures[i : i + BATCH]) for i in range(0, SCENES, BATCH)])
    asked = [query for query in short_queries() if _without_number(query.terms)]
    asked = Random(SEED).sample(asked, min(TEXTS, len(asked)))
    read = np.concatenate(
        [encoder.encode_texts([q.text for q in asked[i : i + BATCH]]) for i in range(0, len(asked), BATCH)]
    )
    true = np.array([[matches(scene, query.terms) for scene in scenes] for query in asked])
    closeness = read @ shown.T
    if tells_apart(closeness, true) < LEAST:
        return {}
    return {name: round(value, 4) for name, value in asdict(marks(closeness, true)).items()}


def tells_apart(closeness: npt.NDArray[np.float32], true: npt.NDArray[np.bool_]) -> float:
    """How often a true pair is closer than a false one; 0.5 is chance (the area under the ROC curve)."""
    false = np.sort(closeness[~true])
    return float((np.searchsorted(false, closeness[true]) / len(false)).mean())


def marks(closeness: npt.NDArray[np.float32], true: npt.NDArray[np.bool_]) -> Calibration:
    """(questions, pictures) each. Questions without an answer say nothing about true pairs."""
    pairs = closeness[true]
    answered = true.any(axis=1)
    best = np.where(true, closeness, -np.inf)[answered].max(axis=1)
    return Calibration(
        balanced=float(np.quantile(pairs, 1 - BALANCED)),
        strict=float(np.quantile(pairs, 1 - STRICT)),
        best=float(np.quantile(best, 1 - BEST)),
    )


def _without_number(terms: Terms) -> bool:
    """Models of this family count badly: what they say of numbers would blur the marks."""
    return all(thing.count is None for thing in terms.things)

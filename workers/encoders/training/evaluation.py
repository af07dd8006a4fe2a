"""Measures a model folder on scenes that no training saw: drawn large, saved as JPEG, read as uploads are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from workers.encoders.training.folder import load
from workers.encoders.training.renders import ASPECTS, recompressed
from workers.encoders.training.truth import facts_of, true_pairs
from workers.scenes.captions import Caption, full_caption, short_queries
from workers.scenes.drawing import draw
from workers.scenes.scene import Scene, draw_distinct_scenes

Vectors = NDArray[np.float32]
EVALUATION_SEED = 500_500


@dataclass(frozen=True, slots=True)
class Figures:
    """`recall_at_1` and `recall_at_5`: share of full captions whose own scene comes first, or among five;
    `mean_average_precision`: over all short queries that at least one scene satisfies."""

    scenes: int
    shorter_side: int
    recall_at_1: float
    recall_at_5: float
    queries: int
    mean_average_precision: float
    by_kind: dict[str, float]


def evaluate(folder: Path, *, scenes: int = 500, shorter_side: int = 768, seed: int = EVALUATION_SEED) -> Figures:
    """Figures of the saved folder over held-out scenes of which no two have the same description."""
    model, preprocess, tokenize = load(folder)
    shown = draw_distinct_scenes(seed, scenes, held_out=True)
    pictures = _encode_pictures(model, preprocess, shown, shorter_side, Random(seed))
    random = Random(seed + 1)
    full = _encode_texts(model, tokenize, [full_caption(scene, random).text for scene in shown])
    ranks = _ranks_of_own(full @ pictures.T)
    asked, true = _answerable(list(short_queries()), shown)
    precisions = average_precisions(_encode_texts(model, tokenize, [q.text for q in asked]) @ pictures.T, true)
    return Figures(
        scenes=len(shown),
        shorter_side=shorter_side,
        recall_at_1=_rounded((ranks < 1).mean()),
        recall_at_5=_rounded((ranks < 5).mean()),
        queries=len(asked),
        mean_average_precision=_rounded(precisions.mean()),
        by_kind=_by_kind(asked, precisions),
    )


def average_precisions(scores: Vectors, true: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Average precision of each row: the mean, over the true columns, of the precision down to each."""
    ranked = np.take_along_axis(true, np.argsort(-scores, axis=1), axis=1)
    precision = np.cumsum(ranked, axis=1) / np.arange(1, ranked.shape[1] + 1)
    averages: NDArray[np.float64] = (precision * ranked).sum(1) / ranked.sum(1)
    return averages


def _encode_pictures(
    model: Any, preprocess: Any, scenes: Sequence[Scene], shorter_side: int, random: Random
) -> Vectors:
    vectors = []
    with torch.inference_mode():
        for scene in scenes:
            across, down = random.choice(ASPECTS)
            unit = shorter_side / min(across, down)
            picture = recompressed(draw(scene, round(across * unit), round(down * unit)), 88)
            vectors.append(model.encode_image(preprocess(picture)[None], normalize=True)[0].numpy())
    return np.stack(vectors)


def _encode_texts(model: Any, tokenize: Any, texts: list[str]) -> Vectors:
    with torch.inference_mode():
        vectors: Vectors = model.encode_text(tokenize(texts), normalize=True).numpy()
    return vectors


def _ranks_of_own(scores: Vectors) -> NDArray[np.int64]:
    own = np.diagonal(scores)[:, None]
    ranks: NDArray[np.int64] = (scores > own).sum(1)
    return ranks


def _answerable(queries: list[Caption], scenes: Sequence[Scene]) -> tuple[list[Caption], NDArray[np.bool_]]:
    true = true_pairs([query.terms for query in queries], facts_of(scenes))
    kept = np.flatnonzero(true.any(1))
    return [queries[row] for row in kept], true[kept]


def _by_kind(queries: Sequence[Caption], precisions: Iterable[float]) -> dict[str, float]:
    kinds: dict[str, list[float]] = {}
    for query, precision in zip(queries, precisions, strict=True):
        kinds.setdefault(_kind(query), []).append(float(precision))
    return {kind: _rounded(np.mean(values)) for kind, values in kinds.items()}


def _kind(query: Caption) -> str:
    terms = query.terms
    parts = [name for name in ("place", "sky") if getattr(terms, name)]
    for term in terms.things:
        parts += [name for name in ("count", "colour", "thing") if getattr(term, name)]
    return " + ".join(parts)


def _rounded(value: Any) -> float:
    return round(float(value), 4)

"""Drawn scenes with known contents, encoded by the small real model: what should be found is no matter of taste."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from workers.encoders.load import open_encoder
from workers.encoders.protocol import Encoder, Vectors
from workers.scenes.captions import Caption, matches, short_queries
from workers.scenes.drawing import draw
from workers.scenes.scene import Scene, draw_distinct_scenes

SEED = 77
SIZE = (360, 240)


@dataclass(frozen=True)
class Shown:
    """`true[q, s]`: whether short query q is true of scene s. Without queries about numbers: none is good at it."""

    encoder: Encoder
    scenes: list[Scene]
    rows: Vectors
    queries: list[Caption]
    asked: Vectors
    true: npt.NDArray[np.bool_]

    def query(self, text: str) -> int:
        return [query.text for query in self.queries].index(text)


@cache
def shown(count: int = 240) -> Shown:
    """Scenes that no calibration and no training used; drawn and encoded once a process."""
    encoder = open_encoder("shipped:drawn-scenes")
    scenes = draw_distinct_scenes(SEED, count, held_out=True)
    prepared = [encoder.prepare(draw(scene, *SIZE)) for scene in scenes]
    rows = np.concatenate([encoder.encode_pictures(prepared[i : i + 32]) for i in range(0, count, 32)])
    queries = [query for query in short_queries() if all(thing.count is None for thing in query.terms.things)]
    asked = encoder.encode_texts([query.text for query in queries])
    true = np.array([[matches(scene, query.terms) for scene in scenes] for query in queries])
    return Shown(encoder, scenes, rows, queries, asked, true)

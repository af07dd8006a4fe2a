"""Pictures with one label each that no training of a shipped model saw: drawn scenes, and the stamps of Tux Paint."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from workers.calibration import calibrate
from workers.encoders.load import open_encoder
from workers.encoders.protocol import Encoder, Vectors
from workers.encoders.training.photographs.evaluation import STAMPS, named_photographs, on_white
from workers.encoders.training.photographs.sources import SourceMissing
from workers.scenes.drawing import draw
from workers.scenes.scene import Scene, draw_distinct_scenes
from workers.scenes.vocabulary import IMPLIED_BY_PLACE, IMPLIED_BY_SKY, THINGS
from workers.spaces import SHIPPED_KNOW

SEED = 500_500  # as the trainings' own evaluation
SIZE = (480, 320)
BATCH = 16


@dataclass(frozen=True)
class HeldOut:
    """`labels` has the right one of each picture, which are opened one by one."""

    name: str
    labels: list[str]
    pictures: Callable[[], Iterator[Image.Image]]


def shipped_models() -> list[str]:
    return list(SHIPPED_KNOW)


def held_out_sets(scenes: int, stamps: Path | None) -> list[HeldOut]:
    """Raises `SourceMissing` where `stamps` names a folder without any; None: where Debian puts them, if they are."""
    found = [_drawn(scenes)]
    if stamps is not None or (STAMPS / "animals").is_dir():
        found.append(_stamps(stamps or STAMPS))
    return found


def _drawn(count: int) -> HeldOut:
    """Scenes with one kind of thing, which is the label; none that implies another (a forest is full of trees)."""
    shown = [scene for scene in draw_distinct_scenes(SEED, 4 * count, held_out=True) if _shows_one_thing(scene)][:count]
    labels = [THINGS[scene.groups[0].thing].names[0] for scene in shown]
    return HeldOut("drawn scenes", labels, lambda: (draw(scene, *SIZE) for scene in shown))


def _shows_one_thing(scene: Scene) -> bool:
    implied = {IMPLIED_BY_PLACE.get(scene.place), IMPLIED_BY_SKY.get(scene.sky)}
    return len(scene.groups) == 1 and implied <= {None, scene.groups[0].thing}


@dataclass(frozen=True)
class Jargon:
    """A word of somebody's own, and which of the scenes (pool, then test) it is true of."""

    prompt: str
    scenes: list[Scene]
    true: list[bool]


def jargon(count: int = 360) -> Jargon:
    """“Nocturne”: a picture of the night. No shipped model learnt the word."""
    scenes = draw_distinct_scenes(SEED + 2, count, held_out=True)
    return Jargon("nocturne", scenes, [scene.sky == "night" for scene in scenes])


def _stamps(folder: Path) -> HeldOut:
    named = named_photographs(folder)
    return HeldOut("photographs (stamps)", [name for _, name in named], lambda: (on_white(path) for path, _ in named))


class Model:
    """A shipped model, opened once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.encoder: Encoder = open_encoder(f"shipped:{name}")

    @property
    def calibrated(self) -> float | None:
        return calibrate(self.encoder).get("balanced")

    def scenes(self, scenes: Sequence[Scene]) -> Vectors:
        """(n, 768)."""
        return self.pictures(HeldOut("", [], lambda: (draw(scene, *SIZE) for scene in scenes)))

    def pictures(self, shown: HeldOut) -> Vectors:
        """(n, 768)."""
        rows: list[Vectors] = []
        batch: list[Any] = []
        for picture in shown.pictures():
            batch.append(self.encoder.prepare(picture))
            if len(batch) == BATCH:
                rows.append(self.encoder.encode_pictures(batch))
                batch = []
        if batch:
            rows.append(self.encoder.encode_pictures(batch))
        return np.concatenate(rows)

    def texts(self, texts: Sequence[str]) -> Vectors:
        """(n, 768)."""
        return np.concatenate([self.encoder.encode_texts(texts[i : i + 64]) for i in range(0, len(texts), 64)])


__all__ = ["HeldOut", "Jargon", "Model", "SourceMissing", "held_out_sets", "jargon", "shipped_models"]

"""Measures a model folder on photographs that no training saw: the cut-out photographs of Tux Paint's stamps, named
by their own captions; and on drawn scenes, as the other shipped model is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from workers.encoders.training.evaluation import evaluate as evaluate_on_scenes
from workers.encoders.training.folder import load
from workers.encoders.training.photographs.sources import SourceMissing

STAMPS = Path("/usr/share/tuxpaint/stamps")
SUBJECTS = ("animals", "food", "plants", "clothes", "household", "hobbies", "vehicles", "sports", "medical")
NOT_PHOTOGRAPHS = {"cartoon", "toys", "plastic"}
NAME = re.compile(r"^(?:An?|Some|Two) ([^.,(!:]+)")


@dataclass(frozen=True, slots=True)
class Figures:
    """`first` and `among_five`: share of the photographs whose own name is nearest, or among the five nearest, of
    `names` names; `precision`: over the names, how much of what comes first is what was asked for. The same for
    coarse subjects; `scenes_*` are those of drawn scenes."""

    photographs: int
    names: int
    first: float
    among_five: float
    precision: float
    subjects: dict[str, float]
    scenes: int
    scenes_recall_at_1: float
    scenes_recall_at_5: float
    scenes_precision: float


def evaluate(folder: Path, *, stamps: Path = STAMPS, scenes: int = 300) -> Figures:
    """Raises `SourceMissing` where the stamps are not installed."""
    shown = named_photographs(stamps)
    model, preprocess, tokenize = load(folder)
    names = sorted({name for _, name in shown})
    subjects = [path.relative_to(stamps).parts[0] for path, _ in shown]
    with torch.inference_mode():
        pictures = torch.cat(
            [model.encode_image(preprocess(on_white(path))[None], normalize=True) for path, _ in shown]
        )
        texts = model.encode_text(tokenize(names), normalize=True)
        scores = (pictures @ texts.T).numpy()
    own = np.array([names.index(name) for _, name in shown])
    ranks = (scores > np.take_along_axis(scores, own[:, None], axis=1)).sum(axis=1)
    drawn = evaluate_on_scenes(folder, scenes=scenes, shorter_side=320)
    return Figures(
        photographs=len(shown),
        names=len(names),
        first=_rounded(ranks < 1),
        among_five=_rounded(ranks < 5),
        precision=_rounded(_precisions(scores.T, own)),
        subjects={s: _rounded(ranks[[one == s for one in subjects]] < 1) for s in sorted(set(subjects))},
        scenes=drawn.scenes,
        scenes_recall_at_1=drawn.recall_at_1,
        scenes_recall_at_5=drawn.recall_at_5,
        scenes_precision=drawn.mean_average_precision,
    )


def named_photographs(stamps: Path) -> list[tuple[Path, str]]:
    """Photographs with the name in their English caption: "A pear." is named pear."""
    if not (stamps / "animals").is_dir():
        raise SourceMissing(
            f"There are no stamps of Tux Paint in {stamps}. On Debian: apt-get install tuxpaint-stamps-default; "
            "or name their folder with --stamps."
        )
    found = []
    for subject in SUBJECTS:
        for path in sorted((stamps / subject).rglob("*.png")):
            caption = path.with_suffix(".txt")
            if NOT_PHOTOGRAPHS & set(path.parts) or "_mirror" in path.name or not caption.is_file():
                continue
            name = NAME.match(caption.read_text(encoding="utf-8", errors="replace").split("\n")[0])
            if name:
                found.append((path, name[1].strip()))
    return found


def on_white(path: Path) -> Image.Image:
    with Image.open(path) as opened:
        picture = opened.convert("RGBA")
    ground = Image.new("RGBA", picture.size, "white")
    ground.alpha_composite(picture)
    return ground.convert("RGB")


def _precisions(scores: NDArray[np.float32], own: NDArray[np.int64]) -> Sequence[float]:
    """Average precision of each name's search among the photographs."""
    precisions = []
    for name, row in enumerate(scores):
        ranked = own[np.argsort(-row)] == name
        precision = np.cumsum(ranked) / np.arange(1, len(ranked) + 1)
        precisions.append(float((precision * ranked).sum() / ranked.sum()))
    return precisions


def _rounded(values: object) -> float:
    return round(float(np.mean(np.asarray(values))), 4)

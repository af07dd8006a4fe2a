"""`manage.py benchmark adapt`: what an adapter gains on the drawn sample with captions in Dutch.

The shipped model was trained on English captions, so what it reaches with those is the limit.
"""

from __future__ import annotations

import io
import sys
import time
from dataclasses import dataclass
from random import Random

import numpy as np

from archive.decoder.specs import ENCODER
from archive.measuring import Report, Row, in_turns, milliseconds, rate_row
from archive.models import Asset, Space, SpaceState
from archive.spaces import GainsNothing, activate
from archive.vectors import read_vectors, store_vectors
from workers.adapting.captions import captioned_assets, part
from workers.adapting.gain import Figures, figures, ranks_with
from workers.adapting.space import adapt_space, train_adapter
from workers.benchmarks.backlog import keep_backlog, renew_backlog
from workers.deriving import derive_vectors
from workers.encode import drain_encode
from workers.encoders.adapter import Pairs
from workers.encoders.adapter_recipe import Recipe
from workers.encoders.load import encoder_of
from workers.scenes.captions import full_caption
from workers.scenes.drawing import draw
from workers.scenes.dutch import dutch_caption
from workers.scenes.sample import SIZES, THEMES, themed_scene
from workers.scenes.scene import Scene
from workers.spaces import make_shipped_space

SEED = 31
RECIPES = {
    "softmax": Recipe(loss="softmax"),
    "sigmoid": Recipe(loss="sigmoid"),
    "softmax, keep 30": Recipe(keep=30),
    "softmax, keep 0": Recipe(keep=0),
}


@dataclass(frozen=True)
class Sample:
    """The drawn archive: its searched space, and assets with the scenes that they show."""

    space: Space
    assets: list[Asset]
    scenes: list[Scene]

    def caption(self, texts: list[str]) -> None:
        for asset, text in zip(self.assets, texts, strict=True):
            asset.caption = text
        Asset.objects.bulk_update(self.assets, ["caption"], batch_size=500)


def measure(*, quick: bool = False, pictures: int = 0, runs: int = 0) -> Report:
    sample = make_sample(pictures or (200 if quick else 1600))
    random = Random(SEED)
    dutch = [dutch_caption(scene, random) for scene in sample.scenes]
    english = [full_caption(scene, random).text for scene in sample.scenes]
    sample.caption(dutch)
    own = held_out_in_english(sample, english)
    limit = figures(ranks_with(None, own)).recall_at_1
    rows: list[Row] = []
    for name, recipe in RECIPES.items():
        began = time.monotonic()
        trained = train_adapter(sample.space, recipe, _say)
        _say(f"{name}: {time.monotonic() - began:.1f} s; {trained.gain}")
        if not rows:
            rows.append(_share("Dutch, the shipped model: R@1", trained.gain.parent, limit, trained.gain.captions))
        rows.append(_share(f"Dutch, adapted, {name}: R@1", trained.gain.adapted, limit, trained.gain.captions))
        after = ranks_with(trained.adapter, own)
        rows.append(_share(f"English after it, {name}: R@1", figures(after), limit, len(after)))
    rows.append(_derived(sample, runs or (1 if quick else 5)))
    sample.caption(Random(SEED).sample(dutch, len(dutch)))
    _refuse(sample)
    return Report("adapt", rows)


def make_sample(count: int) -> Sample:
    """`count` scenes as the demo's sample has them, encoded by the worker's own pipeline."""
    space = make_shipped_space("drawn-scenes")
    activate(space, even_if_partial=True)
    random = Random(SEED)
    scenes = [themed_scene(THEMES[number % len(THEMES)], random) for number in range(count)]
    _say(f"drawing {count} pictures")
    assets = keep_backlog(space, [_jpeg(scene, random) for scene in scenes])
    _say("encoding them")
    while drain_encode():
        pass
    return Sample(space, assets, scenes)


def held_out_in_english(sample: Sample, english: list[str]) -> Pairs:
    """The pictures that no adapter is trained on, with captions in the words that the model knows."""
    encoder = encoder_of(sample.space)
    dutch = captioned_assets(sample.space, encoder).of_captions()
    by_content = sorted(range(len(english)), key=lambda number: sample.assets[number].sha256)  # as those come
    texts = [english[number] for number in by_content]
    _, words = np.unique(texts, return_inverse=True)
    whole = Pairs(dutch.pictures, encoder.encode_texts(texts), words.astype(np.int64), words.astype(np.int64))
    return whole[np.flatnonzero(np.isin(dutch.groups, part(dutch).held_out.groups))]


def _derived(sample: Sample, runs: int) -> Row:
    """Vectors made from the parent's, beside writing the same vectors alone."""
    space = adapt_space("dutch", sample.space, even_if_worse=True, say=_say)
    rows = read_vectors(space, [asset.pk for asset in sample.assets])

    def derive() -> float:
        renew_backlog(space)
        return milliseconds(lambda: derive_vectors(space))

    def store() -> float:
        renew_backlog(space)
        return milliseconds(lambda: store_vectors(space, rows.frames, rows.assets, rows.vectors))

    times = in_turns(runs, derive, store)
    count = len(rows.frames)
    pairs = [(1000 * count / derived, 1000 * count / stored) for derived, stored in times]
    Space.objects.filter(pk=space.pk).update(state=SpaceState.READY)
    return rate_row("vectors derived, beside stored alone", "vectors/s", pairs)


def _refuse(sample: Sample) -> None:
    """Captions of other pictures teach nothing: no space may come of them."""
    try:
        adapt_space("noise", sample.space, say=_say)
    except GainsNothing as error:
        _say(f"captions of other pictures are refused: {error}")
    else:
        raise AssertionError("An adapter trained on captions of other pictures was taken for a gain.")


def _share(name: str, found: Figures, limit: float, captions: int) -> Row:
    return Row(name, found.recall_at_1, "share", limit, round(found.recall_at_1 / limit, 4), captions)


def _jpeg(scene: Scene, random: Random) -> bytes:
    """As large as the rendition for the encoder."""
    out = io.BytesIO()
    draw(scene, *ENCODER.size_for(*random.choice(SIZES))).save(out, "JPEG", quality=ENCODER.quality)
    return out.getvalue()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201  progress of a command

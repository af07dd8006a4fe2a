"""The archive's own captions beside the stored vectors of their assets, parted for training and for judging."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from archive.models import Asset, Space
from archive.vectors import asset_vectors
from workers.encoders.adapter import Pairs
from workers.encoders.protocol import Encoder, Vectors

# Enough for a map of some 200,000 numbers; more would only make reading the captions longer.
MOST = 20_000
LEAST = 50
HELD_OUT, VALIDATED = 0.2, 0.1
MOST_JUDGED = 2000
TEXTS_AT_ONCE = 256


class TooFewCaptions(ValueError):
    def __init__(self, found: int, space: Space) -> None:
        super().__init__(
            f"Only {found} different captions (or titles) belong to assets with a vector in {space.slug}; an adapter "
            f"needs at least {LEAST}. Write more, or wait until the assets that have some are encoded."
        )
        self.found = found


@dataclass(frozen=True)
class Parts:
    trained: Pairs
    validated: Pairs  # says when to stop
    held_out: Pairs  # says what it gained


def captioned_assets(space: Space, encoder: Encoder) -> Pairs:
    """Assets with a caption, or else a title, and a vector in `space`; each content once, at most MOST by chance.

    Captions are equal whatever their capitals and spaces. Raises `TooFewCaptions`.
    """
    written = Asset.objects.filter(trashed_at__isnull=True).exclude(caption="", title="")
    once = written.order_by("sha256", "pk").distinct("sha256")[: 2 * MOST]  # by content, which is by chance
    texts = {
        pk: " ".join((caption or title).split()) for pk, caption, title in once.values_list("pk", "caption", "title")
    }
    vectors = asset_vectors(space, list(texts))
    kept = [pk for pk, text in texts.items() if text and pk in vectors][:MOST]
    words, groups = np.unique([texts[pk].casefold() for pk in kept], return_inverse=True)
    if len(words) < LEAST:
        raise TooFewCaptions(len(words), space)
    read = read_texts(encoder, [texts[pk] for pk in kept])
    return Pairs(np.stack([vectors[pk] for pk in kept]), read, groups.astype(np.int64))


def part(pairs: Pairs, seed: int = 0) -> Parts:
    """By caption: what is judged has no caption that was trained on."""
    different = len(np.unique(pairs.groups))
    order = np.random.default_rng(seed).permutation(different)
    judged, watched = (min(round(share * different), MOST_JUDGED) for share in (HELD_OUT, VALIDATED))
    held_out, validated, trained = np.split(order, [judged, judged + watched])
    return Parts(*(pairs[np.flatnonzero(np.isin(pairs.groups, which))] for which in (trained, validated, held_out)))


def read_texts(encoder: Encoder, texts: list[str]) -> Vectors:
    """(n, 768), a batch at a time."""
    starts = range(0, len(texts), TEXTS_AT_ONCE)
    return np.concatenate([encoder.encode_texts(texts[start : start + TEXTS_AT_ONCE]) for start in starts])

"""The archive's own captions and tags beside the stored vectors of their assets, for training and for judging."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from django.db.models import Exists, OuterRef, Q

from archive.models import Asset, Space, Tag
from archive.vectors import asset_vectors
from workers.encoders.adapter import Pairs
from workers.encoders.protocol import Encoder, Vectors

# Enough for a map of some 200,000 numbers; more would only make reading the captions longer.
MOST = 20_000
LEAST = 50
HELD_OUT, VALIDATED = 0.2, 0.1
MOST_JUDGED = 2000
TEXTS_AT_ONCE = 256
WRITTEN = ("pk", "caption", "title")


class TooFewCaptions(ValueError):
    def __init__(self, found: int, space: Space) -> None:
        super().__init__(
            f"Only {found} different captions (or titles, or tags) belong to assets with a vector in {space.slug}; "
            f"an adapter needs at least {LEAST}. Write more, or wait until the assets that have some are encoded."
        )
        self.found = found


@dataclass(frozen=True)
class Parts:
    trained: Pairs
    validated: Pairs  # says when to stop
    held_out: Pairs  # says what it gained


def captioned_assets(space: Space, encoder: Encoder) -> Pairs:
    """Assets with a caption, or else a title, or else tags, and a vector in `space`; each content once, at most MOST by
    chance. Where there is a caption, the tags are a second text of the asset.

    Texts are equal whatever their capitals and spaces. Raises `TooFewCaptions`.
    """
    tagged = Exists(Tag.objects.accepted().filter(asset=OuterRef("pk")))
    told = Asset.objects.filter(~Q(caption="", title="") | tagged, trashed_at__isnull=True)
    once = told.order_by("sha256", "pk").distinct("sha256")[: 2 * MOST]  # by content, which is by chance
    written = {pk: " ".join((caption or title).split()) for pk, caption, title in once.values_list(*WRITTEN)}
    tags = tags_as_text(list(written))
    captions = {pk: text or tags.get(pk, "") for pk, text in written.items()}
    vectors = asset_vectors(space, list(captions))
    kept = [pk for pk, caption in captions.items() if caption and pk in vectors][:MOST]
    rows = [(pk, captions[pk]) for pk in kept]
    rows += [(pk, tags[pk]) for pk in kept if pk in tags and tags[pk].casefold() != captions[pk].casefold()]
    _, words = np.unique([text.casefold() for _, text in rows], return_inverse=True)
    groups = dict(zip(kept, words, strict=False))  # the captions come first
    if (different := len(set(groups.values()))) < LEAST:
        raise TooFewCaptions(different, space)
    return Pairs(
        np.stack([vectors[pk] for pk, _ in rows]),
        read_texts(encoder, [text for _, text in rows]),
        np.array([groups[pk] for pk, _ in rows], dtype=np.int64),
        words.astype(np.int64),
    )


def tags_as_text(assets: list[int]) -> dict[int, str]:
    """What is accepted of each asset, by name: "boat, harbour". Together they say more than each alone."""
    tags = Tag.objects.accepted().filter(asset__in=assets).order_by("asset", "concept__folded")
    names: dict[int, list[str]] = {}
    for asset, name in tags.values_list("asset", "concept__name"):
        names.setdefault(asset, []).append(name)
    return {asset: ", ".join(found) for asset, found in names.items()}


def part(pairs: Pairs, seed: int = 0) -> Parts:
    """By caption: what is judged has no caption that was trained on, and is judged by captions alone."""
    order = np.random.default_rng(seed).permutation(np.unique(pairs.groups))
    judged, watched = (min(round(share * len(order)), MOST_JUDGED) for share in (HELD_OUT, VALIDATED))
    parts = (np.flatnonzero(np.isin(pairs.groups, which)) for which in np.split(order, [judged, judged + watched]))
    held_out, validated, trained = (pairs[rows] for rows in parts)
    return Parts(trained, validated.of_captions(), held_out.of_captions())


def read_texts(encoder: Encoder, texts: list[str]) -> Vectors:
    """(n, 768), a batch at a time."""
    starts = range(0, len(texts), TEXTS_AT_ONCE)
    return np.concatenate([encoder.encode_texts(texts[start : start + TEXTS_AT_ONCE]) for start in starts])

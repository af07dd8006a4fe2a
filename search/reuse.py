"""Where a stretch of a film recurs in others: shots that the model finds close, and whose stills look the same.

The model finds candidates by the index; PDQ of the stills decides, for two people at two desks are close to a model
and look nothing like each other. Black frames, plain colours and fades are left out: they recur everywhere.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from archive.models import Asset, Frame, Kind, Space
from archive.pdq import Bits, turned
from archive.video.prints import get_prints
from archive.video.reuse import Pair, Shot, Stretch, stretches
from search.background import find_background
from search.failures import SpaceGone
from search.likeness import BURST_SHARE
from search.neighbours import stored_vector
from search.neighbours.pairs import close_shots
from search.sight import sight_of

if TYPE_CHECKING:
    from archive.models.collections import Person

BUDGET = 2.0  # seconds, while somebody looks at the page
LOOKING = 0.8  # of them; the rest is for making stretches of what was found
# Closeness as a share of the way from what two pictures usually have in common to being equal (see search.likeness):
# the same shot, coded twice and sampled at another moment, was at 0.7 or more.
CLOSE_SHARE = BURST_SHARE
NEAREST = 16
BATCH = 16
MOST_FILMS = 50
# Of 256 bits. Stills of the same shot, sampled up to a second apart, differ in 8 to 14; four seconds apart, with the
# camera moving closer, in 46 to 78; those of other shots in 102 or more.
SAME_BITS = 72


@dataclass(frozen=True)
class Reused:
    """Another film, with the stretches of the asked one that it shows."""

    asset: Asset
    stretches: list[Stretch]

    @property
    def seconds(self) -> float:
        return sum(one.seconds for one in self.stretches)


@dataclass(frozen=True)
class Reuse:
    """`whole`: everything was looked at, rather than what the time allowed. `crowded`: some shots have more close ones
    than are compared."""

    films: list[Reused]
    whole: bool
    crowded: bool = False


def find_reuse(user: Person, asset: Asset, budget: float = BUDGET) -> Reuse:
    """Other films that `user` may see and that show a stretch of `asset`, those with the most of it first."""
    space = Space.objects.active()
    if space is None or asset.kind != Kind.VIDEO:
        return Reuse([], whole=True)
    try:
        return _find_reuse(space, user, asset, budget)
    except SpaceGone:  # another one is searched from this moment on
        return Reuse([], whole=False)


def _find_reuse(space: Space, user: Person, asset: Asset, budget: float) -> Reuse:
    begun = time.monotonic()
    until = begun + budget * LOOKING
    mine = shots_of(asset)
    prints = get_prints(list(mine), until)
    candidates = Asset.objects.visible_to(user).filter(kind=Kind.VIDEO).exclude(pk=asset.pk)
    close: list[tuple[int, int]] = []
    whole, sharp = prints.whole, prints.sharp
    least = _least(space, user, asset)
    for batch in _batches([frame for frame in mine if frame in sharp]):
        left = until - time.monotonic()
        found = close_shots(space, asset.pk, batch, candidates, least, NEAREST, left) if left > 0 else None
        if found is None:
            whole = False
            break
        close += found
    others = _others(other for _, other in close)
    theirs = get_prints(list(others), until)
    comparable = theirs.sharp
    pairs: dict[int, list[Pair]] = defaultdict(list)
    for frame, other in close:
        if other in comparable:
            mirrored = looks_the_same(sharp[frame].bits, comparable[other].bits)
            if mirrored is not None:
                film, shot = others[other]
                pairs[film].append(Pair(mine[frame], shot, mirrored))
    films, told = _films(pairs, candidates.in_bulk(pairs), begun + budget)
    most = max(Counter(frame for frame, _ in close).values(), default=0)
    return Reuse(films, whole and theirs.whole and told, crowded=most >= NEAREST)


def _least(space: Space, user: Person, asset: Asset) -> float:
    """The inner product from which on two shots are close: by what the asker sees, and nothing else."""
    vector = stored_vector(space, asset)
    background = None if vector is None else find_background(space, user, sight_of(user), vector)
    usual = background.mean if background is not None and background.known else 0.0
    return usual + CLOSE_SHARE * (1 - usual)


def shots_of(asset: Asset) -> dict[int, Shot]:
    """The shots of a film whose ends are known, by the frame that stands for each, in order."""
    found = Frame.objects.filter(asset=asset, representative=True, end__isnull=False).order_by("at")
    return {pk: Shot(pk, start or 0.0, end or 0.0) for pk, start, end in found.values_list("pk", "start", "end")}


def _batches(frames: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(frames), BATCH):
        yield frames[start : start + BATCH]


def _others(frames: Iterable[int]) -> dict[int, tuple[int, Shot]]:
    """The film and the shot that each frame stands for, where its end is known."""
    rows = Frame.objects.filter(pk__in=set(frames), end__isnull=False).values_list("pk", "asset_id", "start", "end")
    return {pk: (asset, Shot(pk, start or 0.0, end or 0.0)) for pk, asset, start, end in rows}


def looks_the_same(one: Bits, other: Bits) -> bool | None:
    """Whether only as each other's mirror image; None where they do not look the same."""
    straight, mirrored = (int(np.count_nonzero(way != other)) for way in turned(one)[:2])
    if min(straight, mirrored) > SAME_BITS:
        return None
    return mirrored < straight


def _films(pairs: dict[int, list[Pair]], assets: dict[int, Asset], until: float) -> tuple[list[Reused], bool]:
    """Those with the most pairs are looked at first; and whether the time allowed for all of them."""
    found, whole = [], True
    for film in sorted(pairs, key=lambda film: -len(pairs[film])):
        if film in assets:
            told = stretches(pairs[film], until)
            found.append(Reused(assets[film], told.stretches))
            whole = whole and told.whole
    shown = [one for one in found if one.stretches]
    return sorted(shown, key=lambda one: (-one.seconds, one.asset.pk))[:MOST_FILMS], whole

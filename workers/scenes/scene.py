"""Scenes: what there is to see in a drawn picture, before anything is drawn. The seed decides all of it."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random

from workers.scenes.vocabulary import COLOURS, PLACES, SKIES, THINGS

# One triple in eight is never trained on: "a red boat in the snow" has to be understood from its parts.
HELD_OUT_OF = 8
COUNT_WEIGHTS = {1: 45, 2: 20, 3: 15, 4: 10, 5: 10}
MOST_THINGS = 6


@dataclass(frozen=True, slots=True)
class Group:
    thing: str
    colour: str
    count: int


@dataclass(frozen=True, slots=True)
class Scene:
    """`groups` holds one or two groups of different things. `horizon` (share of the height above the ground),
    `scale` and `layout` (seed of every smaller choice) vary the picture, never its truth."""

    place: str
    sky: str
    groups: tuple[Group, ...]
    horizon: float
    scale: float
    layout: int


def is_held_out(place: str, thing: str, colour: str) -> bool:
    """Whether this triple is kept out of training. Decided by the words alone, so it holds for every seed."""
    return zlib.crc32(f"{place}/{thing}/{colour}".encode()) % HELD_OUT_OF == 0


def draw_scenes(seed: int, count: int, *, held_out: bool = False) -> list[Scene]:
    """`count` scenes. `held_out` scenes consist only of triples that training never sees, others of none."""
    return list(islice(_scenes(Random(seed), held_out), count))


def draw_distinct_scenes(seed: int, count: int, *, held_out: bool = False) -> list[Scene]:
    """Like `draw_scenes`, but no two scenes have the same description: a full caption has one answer."""
    found: dict[object, Scene] = {}
    for scene in _scenes(Random(seed), held_out):
        found.setdefault((scene.place, scene.sky, frozenset(scene.groups)), scene)
        if len(found) == count:
            break
    return list(found.values())


def place_scene(random: Random, place: str, sky: str, groups: tuple[Group, ...]) -> Scene:
    """A scene with these contents and a composition of its own."""
    return Scene(
        place=place,
        sky=sky,
        groups=groups,
        horizon=random.uniform(0.5, 0.66),
        scale=random.uniform(0.82, 1.0),
        layout=random.getrandbits(32),
    )


def _scenes(random: Random, held_out: bool) -> Iterator[Scene]:
    while True:
        place = random.choice(list(PLACES))
        sky = random.choice(list(SKIES))
        groups = tuple(_group(random) for _ in range(random.choice((1, 1, 1, 2, 2))))
        if len({group.thing for group in groups}) < len(groups):
            continue
        if sum(group.count for group in groups) > MOST_THINGS:
            continue
        if all(is_held_out(place, group.thing, group.colour) == held_out for group in groups):
            yield place_scene(random, place, sky, groups)


def _group(random: Random) -> Group:
    count = random.choices(list(COUNT_WEIGHTS), weights=list(COUNT_WEIGHTS.values()))[0]
    return Group(random.choice(list(THINGS)), random.choice(list(COLOURS)), count)

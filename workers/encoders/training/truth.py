"""Which captions are true of which scenes, a whole batch at once: `captions.matches` as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.scenes.captions import Terms
from workers.scenes.scene import Scene
from workers.scenes.vocabulary import COLOURS, IMPLIED_BY_PLACE, IMPLIED_BY_SKY, PLACES, SKIES, THINGS

ANY = -1
NOTHING = -2
Numbers = NDArray[np.int16]

_PLACES = {name: index for index, name in enumerate(PLACES)}
_SKIES = {name: index for index, name in enumerate(SKIES)}
_THINGS = {name: index for index, name in enumerate(THINGS)}
_COLOURS = {name: index for index, name in enumerate(COLOURS)}


@dataclass(frozen=True, slots=True)
class Facts:
    """For each scene `where` has (place, sky) and `groups` four rows (thing, colour, count): two for its groups,
    one each for the thing that its place and its sky imply; NOTHING where there is none."""

    where: Numbers
    groups: Numbers

    def __getitem__(self, rows: NDArray[np.int64]) -> "Facts":
        return Facts(self.where[rows], self.groups[rows])


def facts_of(scenes: Sequence[Scene]) -> Facts:
    where = np.array([(_PLACES[scene.place], _SKIES[scene.sky]) for scene in scenes], np.int16)
    groups = np.full((len(scenes), 4, 3), NOTHING, np.int16)
    for row, scene in enumerate(scenes):
        for column, group in enumerate(scene.groups):
            groups[row, column] = _THINGS[group.thing], _COLOURS[group.colour], group.count
        for column, implied in enumerate((IMPLIED_BY_PLACE.get(scene.place), IMPLIED_BY_SKY.get(scene.sky)), 2):
            if implied:
                groups[row, column] = _THINGS[implied], NOTHING, NOTHING
    return Facts(where, groups)


def true_pairs(asked: Sequence[Terms], facts: Facts) -> NDArray[np.bool_]:
    """A table (terms, scenes): True where `matches` is."""
    where = np.array([(_number(_PLACES, t.place), _number(_SKIES, t.sky)) for t in asked], np.int16)
    things = np.full((len(asked), 2, 3), ANY, np.int16)
    for row, terms in enumerate(asked):
        for column, term in enumerate(terms.things):
            count = ANY if term.count is None else term.count
            things[row, column] = _number(_THINGS, term.thing), _number(_COLOURS, term.colour), count
    open_place = where[:, None, :] == ANY
    agreed: NDArray[np.bool_] = (open_place | (where[:, None, :] == facts.where[None])).all(-1)
    for column in range(2):
        wanted = things[:, None, None, column]
        shown = ((wanted == ANY) | (wanted == facts.groups[None])).all(-1).any(-1)
        agreed &= shown
    return agreed


def _number(table: dict[str, int], name: str | None) -> int:
    return ANY if name is None else table[name]

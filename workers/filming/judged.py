"""Films of which is known what they show, from which second on, and which sentences are true of that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from random import Random

from PIL import Image

from workers.filming.shots import Shot, Size
from workers.scenes.captions import Caption, full_caption, matches, short_queries
from workers.scenes.drawing import draw
from workers.scenes.scene import Scene, draw_distinct_scenes

SIZE: Size = (160, 120)  # the model that knows drawings sees 64 x 64 of it
SCENES = (4, 8)  # in a film
SECONDS = (3.0, 9.0)  # of a scene; in quarters, so that few begin at a full second
MOST_RIGHT = 0.5  # of all films; what is true of more of them is no question


@dataclass(frozen=True)
class Film:
    """`starts`: the second at which each scene begins."""

    scenes: Sequence[Scene]
    starts: Sequence[float]
    seconds: float

    def stills(self) -> Iterator[Image.Image]:
        """What it shows at 0, 1, 2, ... seconds, as the decoder samples it."""
        second = 0
        for shot, start in zip(self.shots(), self.starts, strict=True):
            while second < start + shot.seconds:
                yield shot.at((second - start) / shot.seconds, SIZE)
                second += 1

    def shots(self) -> list[Shot]:
        ends = [*self.starts[1:], self.seconds]
        lengths = [end - start for start, end in zip(self.starts, ends, strict=True)]
        return [
            Shot(draw(scene, *SIZE), seconds, 1.12 if n % 2 else 1 / 1.12)
            for n, (scene, seconds) in enumerate(zip(self.scenes, lengths, strict=True))
        ]


@dataclass(frozen=True)
class Question:
    """`right`: the films in which a scene is as the text says, each with the seconds at which such scenes begin."""

    text: str
    right: dict[int, list[float]]


def make_films(count: int, seed: int) -> list[Film]:
    """Of scenes that no model of ours was trained on, each of them once. The same seed makes the same films."""
    random = Random(seed)
    lengths = [random.randint(*SCENES) for _ in range(count)]
    scenes = iter(draw_distinct_scenes(seed, sum(lengths), held_out=True))
    return [_film(list(islice(scenes, length)), random) for length in lengths]


def sentences(films: Sequence[Film], seed: int) -> list[Question]:
    """One for each scene, which says all that is in it: one film is right, and one second."""
    random = Random(seed)
    found = []
    for film in films:
        for scene in film.scenes:
            caption = full_caption(scene, random)
            found.append(Question(caption.text, _right(films, caption)))
    return found


def short_words(films: Sequence[Film]) -> list[Question]:
    """As people type them, true of several films."""
    asked = (Question(caption.text, _right(films, caption)) for caption in short_queries())
    return [one for one in asked if 0 < len(one.right) <= MOST_RIGHT * len(films)]


def _film(scenes: list[Scene], random: Random) -> Film:
    lengths = [random.randint(round(SECONDS[0] * 4), round(SECONDS[1] * 4)) / 4 for _ in scenes]
    *starts, seconds = accumulate([0.0, *lengths])
    return Film(scenes, starts, seconds)


def _right(films: Sequence[Film], caption: Caption) -> dict[int, list[float]]:
    found = {}
    for number, film in enumerate(films):
        pairs = zip(film.scenes, film.starts, strict=True)
        starts = [start for scene, start in pairs if matches(scene, caption.terms)]
        if starts:
            found[number] = starts
    return found

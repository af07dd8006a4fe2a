"""The films of the demo: photographs of the sample and drawn scenes, one after the other. One stretch of the first
recurs in the second, so that there is something to be found again."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from PIL import Image

from archive.sample import PHOTOGRAPHS
from workers.filming.shots import Shot, Size, blank, pictures_of
from workers.filming.writing import write_film
from workers.scenes.drawing import draw
from workers.scenes.scene import Group, place_scene

SIZE: Size = (854, 480)
FPS = 12
EACH = 5.0  # seconds of a shot
BLACK = 1.0
CLOSER = 1.05  # the camera, over a shot
SEED = 11
# As the decoder finds it in the photographs' own captions.
CREDIT = re.compile(r"Photograph: ([^<]+?)\. From")


@dataclass(frozen=True)
class Photograph:
    name: str  # below the folder of photographs, without a suffix


@dataclass(frozen=True)
class Drawing:
    place: str
    sky: str
    groups: tuple[Group, ...]


Source = Photograph | Drawing

# Only such photographs whose licences let others show them in a film of theirs under any terms that name the author.
RECURRING = (Photograph("things/cup-of-coffee"), Photograph("landscapes/sunset"))


@dataclass(frozen=True)
class Film:
    filename: str
    title: str
    sources: tuple[Source, ...]


FILMS = (
    Film(
        "photographs.mp4",
        "A walk through the photographs",
        (
            Photograph("animals/cat"),
            Photograph("landscapes/bridge-at-night"),
            Photograph("flowers/dandelions"),
            *RECURRING,
            Photograph("things/rocket"),
            Photograph("animals/two-dogs"),
            Photograph("old-photographs/biplane"),
        ),
    ),
    Film(
        "drawn-scenes.webm",
        "Drawn scenes, and a break for coffee",
        (
            Drawing("sea", "sunset", (Group("boat", "red", 1),)),
            Drawing("meadow", "day", (Group("kite", "yellow", 3),)),
            *RECURRING,
            Drawing("snow", "night", (Group("house", "orange", 1), Group("tree", "green", 2))),
            Drawing("city", "rain", (Group("umbrella", "purple", 2),)),
        ),
    ),
)


def write_films(folder: Path) -> Iterator[Path]:
    """Writes each film into `folder` and yields its path when it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    for film in FILMS:
        path = folder / film.filename
        shots = [blank(BLACK), *(shot_of(source, number) for number, source in enumerate(film.sources))]
        write_film(path, pictures_of(shots, FPS, SIZE), size=SIZE, fps=FPS, title=film.title, about=about(film))
        yield path


def shot_of(source: Source, number: int) -> Shot:
    """The camera goes closer and back by turns; over what recurs, always closer."""
    closer = CLOSER if source in RECURRING or number % 2 == 0 else 1 / CLOSER
    return Shot(still_of(source), EACH, closer)


def still_of(source: Source) -> Image.Image:
    if isinstance(source, Photograph):
        with Image.open(path_of(source)) as picture:
            return picture.convert("RGB")
    return draw(place_scene(Random(SEED), source.place, source.sky, source.groups), *SIZE)


def about(film: Film) -> str:
    """Whose photographs it shows, under which licences."""
    names = [credit_of(source) for source in film.sources if isinstance(source, Photograph)]
    drawn = any(isinstance(source, Drawing) for source in film.sources)
    credits = f"Photographs: {'; '.join(dict.fromkeys(names))}."
    return f"Scenes drawn by Sightline itself. {credits}" if drawn else credits


def credit_of(photograph: Photograph) -> str:
    """As “Rachel Michetti. CC0 1.0”, from the file itself."""
    with Image.open(path_of(photograph)) as picture:
        found = CREDIT.search(picture.info["xmp"].decode())
    assert found is not None, photograph
    return html.unescape(found[1])


def path_of(photograph: Photograph) -> Path:
    return PHOTOGRAPHS / f"{photograph.name}.jpg"

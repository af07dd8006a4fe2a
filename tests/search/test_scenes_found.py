"""From files to the second: films of known scenes go through everything, and sentences find each scene in them.

Beside plain files the odd ones that people upload: turned, of a variable rate, cut off, with a header that lies; and
those that hold no film and are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from PIL import Image

from archive.incoming import receive_file
from archive.ingest import ingest_file
from archive.models import Asset, Collection, Space, Status
from search.engine import search
from search.query import Query
from tests import films
from workers.encode import drain_encode
from workers.play import drain_play
from workers.prepare import drain_prepare
from workers.scenes.captions import full_caption
from workers.scenes.drawing import draw
from workers.scenes.scene import Scene, draw_distinct_scenes

pytestmark = pytest.mark.django_db(transaction=True)

EACH = 4.3  # seconds of a scene: few begin where a frame is sampled
SCENES = 5  # of a film
WITHIN = 1.0
Make = Callable[[Path, list[films.Scene]], Path]


def turned(path: Path, shown: list[films.Scene]) -> Path:
    """As a telephone that was held upright writes it: lying, with a note how to turn it."""
    lying = [(picture.transpose(Image.Transpose.ROTATE_270), seconds) for picture, seconds in shown]
    return films.make_film(path, lying, rotation=90)


FILMS: dict[str, Make] = {
    "plain.mp4": films.make_film,
    "plain.webm": films.make_film,
    "turned.mp4": turned,
    "uneven.mp4": lambda path, shown: films.make_film(path, shown, variable=True),
    "late.ts": lambda path, shown: films.make_film(path, shown, begin=500.0),
    "one-key.mkv": lambda path, shown: films.make_film(path, shown, gop=10_000),
    "lies.mp4": lambda path, shown: films.lie_about_duration(films.make_film(path, shown), 24 * 3600),
    "lies.mkv": lambda path, shown: films.lie_about_duration(films.make_film(path, shown), 24 * 3600),
    "torn.mkv": lambda path, shown: films.cut_off(films.make_film(path, shown), 0.7),
}
NO_FILMS: dict[str, Callable[[Path], Path]] = {
    "sound.mp4": films.audio_only,
    "empty.mkv": films.without_frames,
    "torn.mp4": lambda path: films.cut_off(films.make_film(path, films.scenes(2, 2.0)), 0.5),
}


@dataclass(frozen=True)
class Told:
    """A scene, and the second at which it begins in its film."""

    film: str
    text: str
    start: float


def take_in(collection: Collection, path: Path) -> Asset:
    return ingest_file(receive_file(path), collection=collection, uploader=None, filename=path.name).asset


@pytest.fixture
def told(harbour: Collection, drawn_space: Space, queries_in_process: None, tmp_path: Path) -> list[Told]:
    """What there is to be found, once all of it was taken in."""
    random = Random(4)
    scenes = iter(draw_distinct_scenes(31, SCENES * len(FILMS), held_out=True))
    found = []
    for name, make in FILMS.items():
        own = [next(scenes) for _ in range(SCENES)]
        shown = [(draw(scene, 320, 240), EACH) for scene in own]
        take_in(harbour, make(tmp_path / name, shown))
        found += [Told(name, sentence(one, random), at) for one, at in zip(own, films.starts(shown), strict=True)]
    for name, make_none in NO_FILMS.items():
        take_in(harbour, make_none(tmp_path / name))
    while drain_prepare(60) or drain_encode(60):
        pass
    drain_play(120)
    return found


def sentence(scene: Scene, random: Random) -> str:
    return full_caption(scene, random).text


def test_a_sentence_opens_its_film_within_a_second_of_its_scene(told: list[Told], bob: User, client: Client) -> None:
    assets = {asset.filename: asset for asset in Asset.objects.all()}
    for name in FILMS:
        assert (assets[name].status, assets[name].error) == (Status.READY, "")
    for name in NO_FILMS:
        assert assets[name].status == Status.FAILED
        assert assets[name].error.endswith(".")
    right: dict[str, list[bool]] = {}
    for one in told:
        if one.start + WITHIN < (assets[one.film].duration or 0.0):  # the rest was cut off
            hit = search(Query(text=one.text), bob).hits[0]
            opens = hit.asset.filename == one.film and abs(hit.at - one.start) <= WITHIN
            right.setdefault(one.film, []).append(opens)
    shares = {name: sum(hits) / len(hits) for name, hits in right.items()}
    whole = [hit for hits in right.values() for hit in hits]
    print(f"R@1 over {len(whole)} scenes, within a second: {sum(whole) / len(whole):.3f}; {shares}")
    assert set(right) == set(FILMS)
    assert {name: len(hits) for name, hits in right.items() if len(hits) < SCENES}.keys() == {"torn.mkv"}
    assert sum(whole) / len(whole) >= 0.9
    assert min(shares.values()) >= 0.6
    first = told[0]
    client.force_login(bob)
    answer: dict[str, Any] = client.get("/api/v1/search", {"q": first.text}).json()
    assert answer["hits"][0]["filename"] == first.film
    assert abs(answer["hits"][0]["moments"][0]["at"] - first.start) <= WITHIN

"""Films of known scenes as an archive has them: written to files, taken in, encoded; and what may be asked of them."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User

from archive.incoming import receive_file
from archive.ingest import ingest_file
from archive.models import Asset, Collection, Space, Status
from archive.spaces import activate
from archive.vectors import Vector
from archive.video.calibration import calibrate_shots
from workers.client import Encoded, remember_text
from workers.encode import drain_encode
from workers.encoders.load import encoder_of
from workers.filming.judged import SIZE, Film, Question, make_films, sentences, short_words
from workers.filming.shots import pictures_of
from workers.filming.writing import write_film
from workers.management.film_set import KNOWS_DRAWINGS
from workers.play import drain_play
from workers.prepare import drain_prepare
from workers.spaces import make_space

SEED = 1
RATE = 8  # pictures a second: scenes begin at quarters
BATCH = 64
BEFORE = 20  # films by which an archive has learnt what a cut is: as one that is a day old has


@dataclass(frozen=True)
class Asked:
    """`right`: the assets that show it, each with the seconds at which such scenes begin."""

    text: str
    vector: Vector
    right: dict[int, list[float]]


@dataclass(frozen=True)
class Cinema:
    """`asked`: by kind of question. The vectors of their words are remembered: no worker is needed to ask them."""

    space: Space
    owner: User
    asked: dict[str, list[Asked]]


def take_in_films(count: int, before: int = BEFORE) -> Cinema:
    """`before` of others come first and go again. Raises `RuntimeError` where one of them was not taken in."""
    space = make_space("scenes", KNOWS_DRAWINGS)
    activate(space, even_if_partial=True)
    owner, _ = User.objects.get_or_create(username="bob")
    place = Collection.objects.create(slug="films", name="films", owner=owner)
    print(f"making {before + count} films", file=sys.stderr, flush=True)  # noqa: T201
    if before:
        others = _take_in(make_films(before, SEED + 1), place)
        calibrate_shots(space)
        Asset.objects.filter(pk__in=[asset.pk for asset in others]).delete()
    films = make_films(count, SEED)
    assets = _take_in(films, place)
    failed = Asset.objects.filter(status=Status.FAILED).values_list("filename", "error").first()
    if failed:
        raise RuntimeError(f"{failed[0]} was not taken in: {failed[1]}")
    kinds = {"sentences": sentences(films, SEED), "short words": short_words(films)}
    return Cinema(space, owner, {kind: _encoded(space, questions, assets) for kind, questions in kinds.items()})


def _take_in(films: list[Film], place: Collection) -> list[Asset]:
    assets = []
    for number, film in enumerate(films):
        path = settings.SIGHTLINE_DATA / f"film-{number}.mp4"
        write_film(path, pictures_of(film.shots(), RATE, SIZE), size=SIZE, fps=RATE)
        stored = ingest_file(receive_file(path), collection=place, uploader=None, filename=path.name, ring=False)
        assets.append(stored.asset)
    while drain_prepare(float("inf")) or drain_encode(float("inf")):
        pass
    drain_play(float("inf"))
    return assets


def _encoded(space: Space, questions: list[Question], assets: list[Asset]) -> list[Asked]:
    encoder = encoder_of(space)
    found = []
    for start in range(0, len(questions), BATCH):
        some = questions[start : start + BATCH]
        for one, vector in zip(some, encoder.encode_texts([one.text for one in some]), strict=True):
            remember_text(space, one.text, Encoded(vector))
            found.append(Asked(one.text, vector, {assets[n].pk: starts for n, starts in one.right.items()}))
    return found

"""`manage.py benchmark scenes`, the first half: made films of known scenes are written and taken in, as files.

What may be asked about them is left to `search.benchmarks.scenes` in a file of the scratch folder, and the vectors of
these sentences in the cache, where a search looks before it asks a worker.
"""

from __future__ import annotations

import json
import sys

from django.conf import settings
from django.contrib.auth.models import User

from archive.incoming import receive_file
from archive.ingest import ingest_file
from archive.measuring import Report, milliseconds, rate_row
from archive.models import Asset, Collection, Frame, Space, Status
from archive.spaces import activate
from workers.benchmarks.moving import ASKED
from workers.client import Encoded, remember_text
from workers.encode import drain_encode
from workers.encoders.load import encoder_of
from workers.filming.judged import SIZE, Film, Question, make_films, sentences, short_words
from workers.filming.shots import pictures_of
from workers.filming.writing import write_film
from workers.management.film_set import KNOWS_DRAWINGS
from workers.prepare import drain_prepare
from workers.spaces import make_space

SEED = 1
RATE = 8  # pictures a second: scenes begin at quarters
BATCH = 64


def measure(*, quick: bool = False, rows: int = 0) -> Report:
    """`rows` films, at the end of which all that is in them can be searched."""
    count = rows or (4 if quick else 80)
    space = make_space("scenes", KNOWS_DRAWINGS)
    activate(space, even_if_partial=True)
    owner, _ = User.objects.get_or_create(username="bob")
    place = Collection.objects.create(slug="films", name="films", owner=owner)
    films = make_films(count, SEED)
    print(f"drawing {count} films", file=sys.stderr, flush=True)  # noqa: T201
    assets = [_take_in(film, number, place) for number, film in enumerate(films)]
    took = milliseconds(_drain)
    failed = [asset.filename for asset in Asset.objects.exclude(status=Status.READY)]
    if failed:
        raise RuntimeError(f"Not taken in: {', '.join(failed)}.")
    asked = {"sentences": sentences(films, SEED), "short words": short_words(films)}
    for questions in asked.values():
        _remember(space, questions)
    told = {kind: [_as_row(one, assets) for one in questions] for kind, questions in asked.items()}
    (settings.SIGHTLINE_DATA / ASKED).write_text(json.dumps(told))
    frames, seconds = Frame.objects.count(), sum(film.seconds for film in films)
    # Of a film that is looked at once a second, being read as fast as it runs is one frame a second.
    return Report("scenes", [rate_row("films to vectors, beside watching them", "frames/s", [(1000 * frames / took, frames / seconds)])])


def _take_in(film: Film, number: int, place: Collection) -> Asset:
    path = settings.SIGHTLINE_DATA / f"film-{number}.mp4"
    write_film(path, pictures_of(film.shots(), RATE, SIZE), size=SIZE, fps=RATE)
    return ingest_file(receive_file(path), collection=place, uploader=None, filename=path.name, ring=False).asset


def _drain() -> None:
    while drain_prepare(float("inf")) or drain_encode(float("inf")):
        pass


def _remember(space: Space, questions: list[Question]) -> None:
    encoder = encoder_of(space)
    for start in range(0, len(questions), BATCH):
        texts = [one.text for one in questions[start : start + BATCH]]
        for text, vector in zip(texts, encoder.encode_texts(texts), strict=True):
            remember_text(space, text, Encoded(vector))


def _as_row(question: Question, assets: list[Asset]) -> dict[str, object]:
    return {"text": question.text, "right": {assets[number].pk: starts for number, starts in question.right.items()}}

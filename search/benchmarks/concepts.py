"""Concepts over stored vectors, beside the bare matrix product: scoring, a walk over the archive, a batch at ingest."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import numpy as np
from django.contrib.auth.models import User
from django.db import connection, transaction

from archive.concepts.background import read_background
from archive.concepts.passes import start_due, walk_on
from archive.concepts.scoring import score
from archive.concepts.vectors import ConceptVectors, find_concept_vectors, write_numbers
from archive.concepts.watching import watch_concepts
from archive.measuring import Report, Row, in_turns, milliseconds, time_row
from archive.models import Collection, Concept, ConceptPass, ConceptVector, OnMatch, Space, Tag
from archive.spaces import activate, create_space
from archive.vectors import Rows, Vector, read_on
from search.benchmarks.synthetic import clustered, write_pictures

CONCEPTS = 50
BATCH = 32  # as the encoder stores them
LINE = 3.0  # spreads: some in a thousand reach it
ROWS = 8_000


def measure(*, quick: bool, rows: int = 0, runs: int = 0) -> Report:
    rows = rows or (4_000 if quick else 100_000)
    runs = runs or (3 if quick else 7)
    vectors = clustered(rows + CONCEPTS)
    space = _stock(vectors[:rows])
    concepts = _keep(space, vectors[rows:])
    pictures = np.ascontiguousarray(vectors[:rows])
    weights = np.ascontiguousarray(concepts.vectors.T)

    def bare() -> float:
        return milliseconds(lambda: pictures @ weights)

    bare()
    alone = in_turns(runs, lambda: milliseconds(lambda: score(pictures, concepts)), bare)
    read = in_turns(runs, lambda: milliseconds(lambda: sum(len(rows.assets) for rows in _stored(space))), bare)
    both = in_turns(runs, lambda: milliseconds(lambda: _score_stored(space, concepts)), bare)
    found = [
        time_row(f"score {CONCEPTS} concepts, vectors in memory", "ms", alone),
        time_row("read the stored vectors alone", "ms", read),
        time_row(f"read and score {CONCEPTS} concepts", "ms", both),
    ]
    _say(found)
    found.append(_walk(bare))
    found.append(_ingest(space, pictures, runs, weights))
    _say(found[3:])
    return Report("concepts", found)


def _stock(vectors: Vector) -> Space:
    owner = User.objects.create_superuser("alice")
    space = create_space(Space(slug="synthetic", model="fake", fingerprint="synthetic"))
    place = Collection.objects.create(slug="everything", name="Everything", owner=owner)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE archive_asset DISABLE TRIGGER USER")  # nobody looks for words here
        write_pictures(cursor, space, place, vectors)
        cursor.execute("ANALYZE")
    activate(space, even_if_partial=True, even_if_unindexed=True)
    space.refresh_from_db()
    return space


def _keep(space: Space, vectors: Vector) -> ConceptVectors:
    """As if their words had been read to these vectors."""
    means, spreads = read_background(space).of(vectors)
    for n, vector in enumerate(vectors):
        concept = Concept.objects.create(name=f"concept {n}", slug=f"concept-{n}", on_match=OnMatch.PROPOSE)
        ConceptVector.objects.create(
            concept=concept,
            space=space,
            mark="made up",
            vector=write_numbers(vector),
            mean=float(means[n]),
            spread=float(spreads[n]),
            line=LINE,
            pictures=500,
        )
    return find_concept_vectors(space, Concept.objects.all())


def _score_stored(space: Space, concepts: ConceptVectors) -> int:
    return sum(len(score(rows.vectors, concepts)) for rows in _stored(space))


def _stored(space: Space) -> Iterator[Rows]:
    after = 0
    while (rows := read_on(space, after, ROWS)).assets:
        yield rows
        after = rows.assets[-1]


def _walk(bare: Callable[[], float]) -> Row:
    """The pass as a worker does it, with the tags that come of it; once, for the second would write none."""
    start_due()
    took = milliseconds(walk_on)
    walk = ConceptPass.objects.get()
    name = f"whole pass, {Tag.objects.count()} tags written over {walk.done} pictures"
    return time_row(name, "ms", [(took, bare())])


def _ingest(space: Space, pictures: Vector, runs: int, weights: Vector) -> Row:
    """What a batch of new vectors costs more: the look whether concepts changed, the scores, and the tags."""
    some = read_on(space, 0, BATCH + 1)
    rows = Rows(some.frames[:BATCH], some.assets[:BATCH], some.vectors[:BATCH])

    def watch() -> float:
        with transaction.atomic():
            return milliseconds(lambda: watch_concepts(space, rows))

    watch()
    batch = pictures[:BATCH]
    times = in_turns(10 * runs, watch, lambda: milliseconds(lambda: batch @ weights))
    return time_row(f"at ingest, a batch of {BATCH}", "ms", times)


def _say(rows: list[Row]) -> None:
    for row in rows:
        line = f"{row.name}: {row.value:g} {row.unit}, the bare product {row.limit:g}"
        print(line, file=sys.stderr, flush=True)  # noqa: T201  progress of a command

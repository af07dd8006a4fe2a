"""`manage.py benchmark reuse`: how long it takes to find where the footage of a film recurs, and how that grows.

An archive of films without files: 30 shots of four seconds each, whose vectors lie in groups as those of models do, and
whose stills have made-up fingerprints. Every fifth film shows five shots of an earlier one, coded anew: a little of
each vector and some bits of each fingerprint are other ones.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from django.contrib.auth.models import User
from django.db import connection

from archive.measuring import Report, milliseconds, percentile, rate_row, time_row
from archive.models import DIMENSIONS, Asset, Collection, Membership, Role, Space
from archive.pdq import BITS, as_digits
from archive.spaces import activate, build_index, create_space
from archive.vectors import Vector
from search.benchmarks.synthetic import copy_vectors
from search.reuse import Reuse, find_reuse

SHOTS, SECONDS = 30, 4.0
EVERY, SHARED, FROM, TO = 5, 5, 10, 20  # every fifth film shows from its 20th shot on what another does from its 10th
OTHER_BITS, NOISE = 10, 0.002
PATIENCE = 60.0  # seconds, where a page has two

FILMS = """
WITH film AS (
    INSERT INTO archive_asset (
        uuid, collection_id, kind, status, error, sha256, original, filename, media_type, size, width, height,
        title, caption, camera, place, exif, notes, added_at, duration, step_ms
    )
    SELECT gen_random_uuid(), %(place)s, 'video', 'ready', '', md5(i::text) || md5(i::text), 'originals/' || i,
           'film-' || i || '.mp4', 'video/mp4', 1000000, 640, 360, '', '', '', '', '{}', '[]', now(),
           %(shots)s * %(seconds)s, 1000
    FROM generate_series(%(first)s, %(last)s) AS i
    RETURNING id
)
INSERT INTO archive_frame (asset_id, at, representative, still, start, "end")
SELECT id, n * %(seconds)s, true, '', n * %(seconds)s, (n + 1) * %(seconds)s
FROM film, generate_series(0, %(shots)s - 1) AS n ORDER BY id, n
"""
PRINTS = """
INSERT INTO archive_stillfingerprint (frame_id, pdq, quality, spread)
SELECT frame, digits::bit(256), 100, 60 FROM unnest(%(frames)s::bigint[], %(digits)s::text[]) AS given(frame, digits)
"""


def measure(*, quick: bool = False, rows: int = 0, runs: int = 0) -> Report:
    """Of `rows` films; the same ones are asked about while there is a quarter of them, and when all are there."""
    films = max(rows or (40 if quick else 2000), 4 * EVERY)
    made = Made(films)
    asked = np.linspace(0, films // 4 - 1, min(runs or (5 if quick else 40), films // 4)).astype(int).tolist()
    made.fill(films // 4)
    few, _ = made.look(asked)
    made.fill(films)
    many, found = made.look(asked)
    pairs = list(zip(many, few, strict=True))
    return Report(
        "reuse",
        [
            time_row(f"a film among {films}, beside among {films // 4}", "ms", pairs),
            time_row("the slowest of twenty", "ms", [(percentile(many, 0.95), percentile(few, 0.95))]),
            rate_row("films that share footage, told beside there", "films", [made.told(asked, found)]),
        ],
    )


class Made:
    """An archive that grows; `ids` are its films, by number."""

    def __init__(self, films: int) -> None:
        self.visitor = User.objects.create_user("visitor")
        owner = User.objects.create_user("alice")
        self.place = Collection.objects.create(slug="films", name="films", owner=owner)
        Membership.objects.create(collection=self.place, user=self.visitor, role=Role.VIEWER)
        self.space = create_space(Space(slug="synthetic", model="fake", fingerprint="synthetic"))
        activate(self.space, even_if_partial=True)
        self.ids: list[int] = []
        dice = np.random.default_rng(4)
        self.vectors = _grouped(films * SHOTS, dice).reshape(films, SHOTS, DIMENSIONS)
        self.bits = dice.integers(0, 2, (films, SHOTS, BITS)).astype(np.bool_)
        for film in range(EVERY, films, EVERY):
            _copy(self.vectors, self.bits, _shown_by(film), film, dice)

    def fill(self, films: int) -> None:
        """Up to so many."""
        first = len(self.ids)
        print(f"making {films - first} films", file=sys.stderr, flush=True)  # noqa: T201
        place = {"place": self.place.pk, "shots": SHOTS, "seconds": SECONDS, "first": first, "last": films - 1}
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE archive_asset DISABLE TRIGGER USER")
            cursor.execute(FILMS, place)
            cursor.execute("SELECT id, asset_id FROM archive_frame ORDER BY id OFFSET %s", [first * SHOTS])
            frames = np.array(cursor.fetchall())
            copy_vectors(cursor, self.space, frames, self.vectors[first:films].reshape(-1, DIMENSIONS))
            digits = [as_digits(bits) for bits in self.bits[first:films].reshape(-1, BITS)]
            cursor.execute(PRINTS, {"frames": frames[:, 0].tolist(), "digits": digits})
            cursor.execute("ANALYZE")
        self.ids += frames[::SHOTS, 1].tolist()
        build_index(self.space)

    def look(self, films: Sequence[int]) -> tuple[list[float], dict[int, Reuse]]:
        """Milliseconds for each of `films`, the second time that it is asked about; and what was found."""
        assets = Asset.objects.in_bulk([self.ids[film] for film in films])
        took, found = [], {}
        for film in films:
            asset = assets[self.ids[film]]
            found[film] = find_reuse(self.visitor, asset, PATIENCE)
            took.append(milliseconds(lambda asset=asset: find_reuse(self.visitor, asset, PATIENCE)))  # type: ignore[misc]
        return took, found

    def told(self, films: Sequence[int], found: Mapping[int, Reuse]) -> tuple[float, float]:
        """How many right ones were told, with the right stretch, and how many there are; nothing else may be told."""
        right = 0
        for film in films:
            for one in found[film].films:
                other = self.ids.index(one.asset.pk)
                if other not in self.sharing(film):
                    raise RuntimeError(f"Film {film} shares nothing with film {other}, which was told.")
                right += any(stretch.shots == SHARED for stretch in one.stretches)
        return float(right), float(sum(len(self.sharing(film)) for film in films))

    def sharing(self, film: int) -> set[int]:
        earlier = {_shown_by(film)} if film and film % EVERY == 0 else set()
        return earlier | {other for other in range(EVERY, len(self.ids), EVERY) if _shown_by(other) == film}


def _shown_by(film: int) -> int:
    """Whose footage film number 5, 10, 15, ... shows."""
    return film - 3


def _copy(vectors: Vector, bits: npt.NDArray[np.bool_], of: int, film: int, dice: np.random.Generator) -> None:
    noise = dice.normal(size=(SHARED, DIMENSIONS)) * NOISE
    copied = vectors[of, FROM : FROM + SHARED] + noise
    vectors[film, TO : TO + SHARED] = copied / np.linalg.norm(copied, axis=1, keepdims=True)
    bits[film, TO : TO + SHARED] = bits[of, FROM : FROM + SHARED]
    for shot in range(TO, TO + SHARED):
        bits[film, shot, dice.choice(BITS, OTHER_BITS, replace=False)] ^= True


def _grouped(count: int, dice: np.random.Generator) -> Vector:
    """Unit vectors in groups of about a hundred, whose cosines are 0.8: the model finds all of them close, so that for
    each shot the stills of as many others as are ever looked at have to be compared."""
    centres = dice.normal(size=(max(1, count // 100), DIMENSIONS))
    rows = (centres[dice.integers(0, len(centres), count)] + 0.5 * dice.normal(size=(count, DIMENSIONS))).astype(
        np.float32
    )
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows

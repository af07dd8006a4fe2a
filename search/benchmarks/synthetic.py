"""An archive of made-up vectors: rows without files, with tags of known shares that lie anywhere, near, or far, and
with titles that say what is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
from django.contrib.auth.models import User
from django.db import connection
from django.utils.text import slugify

from archive.models import DIMENSIONS, Collection, Concept, Membership, Role, Space
from archive.spaces import activate, build_index, create_space, partition
from archive.vectors import Vector

# How many of all pictures a filter leaves, and how those lie to the queries.
SHARES = (0.3, 0.1, 0.01, 0.001, 0.0001)
CHUNK = 10_000
# Of so many pictures one has a title, and each title says one of the questions.
TITLED = 20


class Lie(StrEnum):
    """Where what passes a filter lies: anywhere, around the query, or as far from it as there is."""

    ANYWHERE = "anywhere"
    AROUND = "around"
    FAR = "far"


FRAMES = """
WITH asset AS (
    INSERT INTO archive_asset (
        uuid, collection_id, kind, status, error, sha256, original, filename, media_type, size, width, height,
        title, caption, camera, place, exif, notes, added_at
    )
    SELECT gen_random_uuid(), %(place)s, 'photo', 'ready', '', md5(i::text) || md5(i::text), 'originals/' || i,
           'picture-' || i || '.jpg', 'image/jpeg', 1000000, 4000, 3000, '', '', '', '', '{}', '[]', now()
    FROM generate_series(1, %(rows)s) AS i
    RETURNING id
)
INSERT INTO archive_frame (asset_id, at, representative, still) SELECT id, 0, true, '' FROM asset
"""
TAGS = """
INSERT INTO archive_tag (asset_id, concept_id, state, source, at)
SELECT asset, %(concept)s, 'accepted', 'person', now() FROM unnest(%(assets)s::bigint[]) AS asset
"""
TITLES = """
UPDATE archive_asset SET title = 'About ' || given.questions[1 + (id / %(titled)s %% cardinality(given.questions))::int]
FROM (SELECT %(questions)s::text[]) AS given(questions) WHERE id %% %(titled)s = 0
"""
WORDS = "SELECT archive_write_words(ARRAY(SELECT id FROM archive_asset))"
# A row of COPY in binary: the number of columns, then each with its length in front.
COPIED = np.dtype(
    [
        ("columns", ">i2"),
        *(("l1", ">i4"), ("space", ">i8"), ("l2", ">i4"), ("frame", ">i8"), ("l3", ">i4"), ("asset", ">i8")),
        *(("l4", ">i4"), ("representative", "i1"), ("l5", ">i4")),
        *(("dimensions", ">i2"), ("unused", ">i2"), ("vector", ">f2", DIMENSIONS)),
    ]
)
LENGTHS = {"columns": 5, "l1": 8, "l2": 8, "l3": 8, "l4": 1, "l5": 4 + 2 * DIMENSIONS, "dimensions": DIMENSIONS}


@dataclass(frozen=True)
class Synthetic:
    """`queries`: (n, 768) unit length, for each lie its own; those of AROUND and FAR come from one corner."""

    space: Space
    visitor: User
    queries: dict[Lie, Vector]


def name_tag(lie: Lie, share: float) -> str:
    return f"{lie} {share:.4%}"


def name_query(lie: Lie, number: int) -> str:
    """A question in words."""
    return f"query {lie} {number}"


def make_archive(rows: int, queries: int) -> Synthetic:
    """`rows` pictures, searched by an index where they are enough for one; the visitor may see all of them. Of
    `queries` questions for each lie, each is said by some titles."""
    visitor = User.objects.create_user("visitor")
    owner = User.objects.create_user("alice")
    space = create_space(Space(slug="synthetic", model="fake", fingerprint="synthetic"))
    place = Collection.objects.create(slug="everything", name="Everything", owner=owner)
    Membership.objects.create(collection=place, user=visitor, role=Role.VIEWER)
    asked = max(queries * 8, 200)
    vectors = clustered(rows + asked)
    with connection.cursor() as cursor:
        # Words are written once, behind everything, and not for each row and tag.
        cursor.execute("ALTER TABLE archive_asset DISABLE TRIGGER USER")
        cursor.execute("ALTER TABLE archive_tag DISABLE TRIGGER USER")
        frames = write_pictures(cursor, space, place, vectors[:rows])
        corner = vectors[0]
        _tag(vectors[:rows] @ corner, frames[:, 1])
        questions = [name_query(lie, number) for lie in Lie for number in range(queries)]
        cursor.execute(TITLES, {"questions": questions, "titled": TITLED})
        cursor.execute(WORDS)
        cursor.execute("ANALYZE")
    build_index(space)
    activate(space, even_if_partial=True)
    near = np.argsort(-(vectors[rows:] @ corner))[:queries]
    cornered = vectors[rows:][near]
    return Synthetic(
        space, visitor, {Lie.ANYWHERE: vectors[rows : rows + queries], Lie.AROUND: cornered, Lie.FAR: cornered}
    )


def write_pictures(cursor: Any, space: Space, place: Collection, vectors: Vector) -> npt.NDArray[np.int64]:
    """READY pictures without files, one for each row of `vectors` (n, 768); returns frame and asset of each (n, 2)."""
    cursor.execute(FRAMES, {"place": place.pk, "rows": len(vectors)})
    cursor.execute("SELECT id, asset_id FROM archive_frame ORDER BY id")
    frames = np.array(cursor.fetchall())
    copy_vectors(cursor, space, frames, vectors)
    return frames


def copy_vectors(cursor: Any, space: Space, frames: npt.NDArray[np.int64], vectors: Vector) -> None:
    """Give each frame of `frames`, (n, 2) with its asset, a row of `vectors` (n, 768)."""
    columns = "space_id, frame_id, asset_id, representative, vector"
    with cursor.copy(f"COPY {partition(space)} ({columns}) FROM STDIN (FORMAT binary)") as copy:
        for block in _blocks(space, frames, vectors):
            copy.write(block)


def _tag(closeness: npt.NDArray[np.float32], assets: npt.NDArray[np.int64]) -> None:
    """A tag for each lie and share."""
    order = np.argsort(-closeness)
    mixed = np.random.default_rng(3).permutation(len(order))
    for lie, places in ((Lie.ANYWHERE, mixed), (Lie.AROUND, order), (Lie.FAR, order[::-1])):
        for share in SHARES:
            name = name_tag(lie, share)
            concept = Concept.objects.create(slug=slugify(name.replace("%", "").replace(".", "-")), name=name)
            chosen = assets[places[: max(1, round(share * len(order)))]]
            with connection.cursor() as cursor:
                cursor.execute(TAGS, {"concept": concept.pk, "assets": chosen.tolist()})


def clustered(count: int) -> Vector:
    """Unit vectors as models give them: many groups, of some degrees of freedom, with a little noise in all."""
    dice = np.random.default_rng(2)
    centres = dice.normal(size=(500, 96))
    directions = np.linalg.qr(dice.normal(size=(DIMENSIONS, 96)))[0].T
    found = np.empty((count, DIMENSIONS), dtype=np.float32)
    for start in range(0, count, CHUNK):
        part = found[start : start + CHUNK]
        inner = centres[dice.integers(0, len(centres), len(part))] + 1.5 * dice.normal(size=(len(part), 96))
        part[:] = inner @ directions + 0.05 * dice.normal(size=part.shape)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found


def _blocks(space: Space, frames: npt.NDArray[np.int64], vectors: Vector) -> Iterator[bytes]:
    yield b"PGCOPY\n\xff\r\n\0" + bytes(8)
    for start in range(0, len(frames), CHUNK):
        part = frames[start : start + CHUNK]
        rows = np.zeros(len(part), dtype=COPIED)
        for name, value in LENGTHS.items():
            rows[name] = value
        rows["space"], rows["frame"], rows["asset"], rows["representative"] = space.pk, part[:, 0], part[:, 1], 1
        rows["vector"] = vectors[start : start + len(part)]
        yield rows.tobytes()
    yield b"\xff\xff"

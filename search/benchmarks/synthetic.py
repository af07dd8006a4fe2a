"""An archive of made-up vectors: rows without files, in collections of known shares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from django.contrib.auth.models import User
from django.db import connection

from archive.models import DIMENSIONS, Collection, Membership, Role, Space
from archive.spaces import activate, build_index, create_space, partition
from archive.vectors import Vector

# The collection that is filtered by, and its share of all pictures.
SHARES = {"": 1.0, "a-tenth": 0.1, "a-hundredth": 0.01, "a-thousandth": 0.001}
CHUNK = 10_000
FRAMES = """
WITH asset AS (
    INSERT INTO archive_asset (
        uuid, collection_id, kind, status, error, sha256, original, filename, media_type, size, width, height,
        title, caption, camera, place, exif, notes, added_at
    )
    SELECT gen_random_uuid(), place, 'photo', 'ready', '', md5(i::text) || md5(i::text), 'originals/' || i,
           'picture-' || i || '.jpg', 'image/jpeg', 1000000, 4000, 3000, '', '', '', '', '{}', '[]', now()
    FROM unnest(%(places)s::bigint[]) WITH ORDINALITY AS given(place, i)
    RETURNING id
)
INSERT INTO archive_frame (asset_id, at, representative, still) SELECT id, 0, true, '' FROM asset
"""
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
    space: Space
    visitor: User
    queries: npt.NDArray[np.float32]  # (n, 768), unit length


def make_archive(rows: int, queries: int) -> Synthetic:
    """`rows` pictures, searched by an index where they are enough for one; the visitor may see all of them."""
    visitor = User.objects.create_user("visitor")
    owner = User.objects.create_user("alice")
    space = create_space(Space(slug="synthetic", model="fake", fingerprint="synthetic"))
    places = _places(owner, visitor)
    dice = np.random.default_rng(1)
    named = [places[slug] for slug in SHARES]
    shares = np.array([0.0, *list(SHARES.values())[1:]])
    shares[0] = 1 - shares.sum()
    with connection.cursor() as cursor:
        cursor.execute(FRAMES, {"places": dice.choice(named, size=rows, p=shares).tolist()})
        cursor.execute("SELECT id, asset_id FROM archive_frame ORDER BY id")
        frames = np.array(cursor.fetchall())
        vectors = clustered(rows + queries)
        columns = "space_id, frame_id, asset_id, representative, vector"
        with cursor.copy(f"COPY {partition(space)} ({columns}) FROM STDIN (FORMAT binary)") as copy:
            for block in _blocks(space, frames, vectors):
                copy.write(block)
        cursor.execute("ANALYZE")
    build_index(space)
    activate(space, even_if_partial=True)
    return Synthetic(space, visitor, vectors[rows:])


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


def _places(owner: User, visitor: User) -> dict[str, int]:
    made = {}
    for slug in SHARES:
        place = Collection.objects.create(slug=slug or "the-rest", name=slug or "The rest", owner=owner)
        Membership.objects.create(collection=place, user=visitor, role=Role.VIEWER)
        made[slug] = place.pk
    return made


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

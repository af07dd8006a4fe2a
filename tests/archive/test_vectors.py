"""Vectors are written as Postgres keeps them, all or none of them, and twins are found without reading the archive."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.db import DataError, connection, transaction

from archive.models import Asset, Collection, Frame, Space
from archive.vectors import COPY_KNOWN, copy_known_vectors, read_vectors, store_vectors
from tests.prepared import random_rows

pytestmark = pytest.mark.django_db


def frames(place: Collection, count: int, contents: int = 0) -> list[Frame]:
    """Photographs with a frame each; of `contents` different ones, else all different."""
    assets = Asset.objects.bulk_create(
        Asset(collection=place, sha256=f"{n % (contents or count):064x}", filename=f"{n}.jpg", size=1)
        for n in range(count)
    )
    return Frame.objects.bulk_create(Frame(asset=asset) for asset in assets)


def store(space: Space, rows: list[Frame], vectors: Any) -> None:
    store_vectors(space, [row.pk for row in rows], [row.asset_id for row in rows], vectors)


def test_what_was_written_is_read_to_the_last_bit_of_a_half_float(harbour: Collection, fake_space: Space) -> None:
    made, vectors = frames(harbour, 3), random_rows(3, seed=1)
    store(fake_space, made, vectors)
    found = read_vectors(fake_space, [row.asset_id for row in made])
    order = np.argsort(found.frames)
    assert np.array_equal(found.vectors[order], vectors.astype(np.float16).astype(np.float32))


def test_writing_again_replaces_and_a_deleted_frame_drops_out(harbour: Collection, fake_space: Space) -> None:
    made, vectors = frames(harbour, 2), random_rows(2, seed=1)
    store(fake_space, made, vectors[::-1])
    Frame.objects.filter(pk=made[1].pk).delete()
    store(fake_space, made, vectors)
    found = read_vectors(fake_space, [row.asset_id for row in made])
    assert found.frames == [made[0].pk]
    assert np.allclose(found.vectors[0], vectors[0], atol=1e-3)


def test_it_belongs_to_the_transaction_around_it(harbour: Collection, fake_space: Space) -> None:
    made = frames(harbour, 2)
    with transaction.atomic():
        store(fake_space, made, random_rows(2, seed=1))
        transaction.set_rollback(True)
    assert read_vectors(fake_space, [row.asset_id for row in made]).frames == []


def test_what_is_no_number_is_refused_as_django_says_it(harbour: Collection, fake_space: Space) -> None:
    with transaction.atomic(), pytest.raises(DataError, match="NaN"), transaction.atomic():
        store(fake_space, frames(harbour, 1), np.full((1, 768), np.nan, dtype=np.float32))


def test_a_twin_gets_the_vector_of_its_content(fake_space: Space, harbour: Collection, alice: User) -> None:
    attic = Collection.objects.create(slug="attic", name="Attic", owner=alice)
    there, twin = frames(harbour, 2), frames(attic, 1)
    Asset.objects.filter(pk=twin[0].asset_id).update(sha256=f"{1:064x}")
    store(fake_space, there, vectors := random_rows(2, seed=1))
    assert copy_known_vectors(fake_space, [row.asset_id for row in twin]) == [twin[0].asset_id]
    found = read_vectors(fake_space, [twin[0].asset_id])
    assert np.allclose(found.vectors[0], vectors[1], atol=1e-3)


def test_twins_are_looked_for_without_comparing_all_frames(harbour: Collection, fake_space: Space) -> None:
    """All photographs have a frame at second 0. Of a database without statistics the planner once joined on that."""
    made = frames(harbour, 2000)
    store(fake_space, made[:1000], random_rows(1000, seed=1))
    batch = [row.asset_id for row in made[-32:]]
    with connection.cursor() as cursor:
        cursor.execute(
            f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {COPY_KNOWN}", {"space": fake_space.pk, "assets": batch}
        )
        plan = json.loads(json.dumps(cursor.fetchone()[0]))[0]["Plan"]
    assert touched(plan) < 4 * len(made)  # not their product, 64,000


def touched(node: dict[str, Any]) -> float:
    """Rows that a plan read or threw away, all its nodes together."""
    own = (node["Actual Rows"] + node.get("Rows Removed by Join Filter", 0) + node.get("Rows Removed by Filter", 0)) * (
        node["Actual Loops"]
    )
    return float(own + sum(touched(part) for part in node.get("Plans", [])))

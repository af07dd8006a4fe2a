"""Spaces are made with their partitions, keep their vectors apart, and are cleared away when nobody reads them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import IntegrityError, connection, transaction

from archive.models import Asset, Collection, Embedding, Space, SpaceState, Step, Work
from archive.spaces import (
    SpaceInUse,
    SpaceNotReady,
    activate,
    clear_away,
    create_space,
    drop_partitions,
    has_partitions,
    is_left_over,
    retire,
)
from archive.vectors import store_vectors
from search.neighbours import find_neighbours
from tests import pictures
from tests.prepared import make_encoded, make_prepared, random_rows
from workers.claims import claim, finish
from workers.encode import drain_encode
from workers.spaces import make_space
from workers.upkeep import look_after_spaces

pytestmark = pytest.mark.django_db


def test_a_new_space_brings_its_partitions(fake_space: Space) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid::regclass::text IN (%s, %s)",
            [f"archive_embedding_{fake_space.pk}", f"archive_clipembedding_{fake_space.pk}"],
        )
        assert sorted(parent for (parent,) in cursor.fetchall()) == ["archive_clipembedding", "archive_embedding"]


@pytest.mark.parametrize("slug", ["", "Upper", "two words", "x; DROP TABLE archive_asset", "-x", "../x"])
def test_a_name_that_is_none_is_refused(slug: str) -> None:
    with pytest.raises(ValueError, match="small letters"):
        create_space(Space(slug=slug, model="fake"))


def test_only_one_space_is_searched_and_one_filled(fake_space: Space) -> None:
    make_space("next", "fake", "another")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_space("third", "fake", "yet another")
    with pytest.raises(IntegrityError), transaction.atomic():
        Space.objects.filter(slug="next").update(state=SpaceState.ACTIVE)


def test_vectors_are_kept_apart_by_space(harbour: Collection, fake_space: Space) -> None:
    make_encoded(harbour, fake_space, random_rows(3))
    other = make_space("next", "fake", "another")
    with connection.cursor() as cursor:
        counts = []
        for space in (fake_space, other):
            cursor.execute(f"SELECT count(*) FROM archive_embedding_{space.pk}")
            counts.append(cursor.fetchone()[0])
    assert counts == [3, 0]


def test_a_deleted_asset_takes_its_vectors_along(harbour: Collection, fake_space: Space) -> None:
    make_encoded(harbour, fake_space, random_rows(2))
    Asset.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM archive_embedding")
        assert cursor.fetchone() == (0,)


@contextmanager
def reading_vectors() -> Iterator[None]:
    """Somebody reads all vectors for long, as a dump does."""
    begun, over = threading.Event(), threading.Event()

    def read() -> None:
        try:
            with transaction.atomic():
                list(Embedding.objects.values_list("frame_id", flat=True))
                begun.set()
                over.wait(20)
        finally:
            connection.close()

    reader = threading.Thread(target=read)
    reader.start()
    assert begun.wait(20)
    try:
        yield
    finally:
        over.set()
        reader.join(20)


@pytest.mark.django_db(transaction=True)
def test_a_retired_space_in_use_is_cleared_away_later_and_stalls_nobody(harbour: Collection, fake_space: Space) -> None:
    other = make_space("next", "fake", "another")
    asset = make_prepared(harbour, pictures.distinct(1), fake_space, other)
    drain_encode()
    retire(other)
    assert not Space.objects.live().filter(slug="next").exists()
    with reading_vectors():
        start = time.monotonic()
        assert not drop_partitions(other, patience=0.5)
        assert time.monotonic() - start < 5
        assert len(find_neighbours(fake_space, random_rows(1)[0], Asset.objects.all(), 5).neighbours) == 1
    assert is_left_over(other)
    look_after_spaces()
    assert not is_left_over(other)
    assert not has_partitions(other)
    assert not Work.objects.filter(target="next").exists()
    assert Embedding.objects.filter(asset=asset).count() == 1
    assert Space.objects.get(slug="next").state == SpaceState.RETIRED
    with pytest.raises(SpaceNotReady, match="is retired and its vectors are gone"):
        activate(other, even_if_partial=True)


@pytest.mark.django_db(transaction=True)
def test_what_a_retired_space_s_workers_hold_is_fenced(harbour: Collection, fake_space: Space) -> None:
    other = make_space("next", "fake", "another")
    asset = make_prepared(harbour, pictures.distinct(1), other)
    (held,) = claim(Step.ENCODE, "next", 1, "somebody")
    retire(other)
    assert clear_away(other)
    assert finish([held]) == set()
    store_vectors(other, [], [], random_rows(0))  # as the pipeline does with what is not its own any more
    assert not Embedding.objects.filter(asset=asset).exists()


def test_the_searched_space_is_not_retired(fake_space: Space) -> None:
    with pytest.raises(SpaceInUse, match="Activate another one first"):
        retire(fake_space)
    assert Space.objects.active() == fake_space

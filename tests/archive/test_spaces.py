"""Spaces: made with their partitions, filled beside the searched one, taken over in one moment."""

from __future__ import annotations

import threading

import pytest
from django.db import IntegrityError, connection, transaction

from archive.models import Asset, Collection, Space, SpaceState, Status, Step, Work, WorkState
from archive.readiness import settle
from archive.spaces import SpaceNotReady, activate, backfill, coverage, create_space
from tests import pictures
from tests.prepared import make_encoded, make_prepared, random_rows
from workers.encode import drain_encode
from workers.spaces import make_space

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


@pytest.mark.django_db(transaction=True)
def test_a_half_filled_space_does_not_take_over_unless_asked(harbour: Collection, fake_space: Space) -> None:
    for seed in range(3):
        make_prepared(harbour, pictures.distinct(seed), fake_space)
    drain_encode()
    other = make_space("next", "fake", "another")
    assert backfill(other) == 3
    assert backfill(other) == 0
    assert (coverage(fake_space).done, coverage(other).done, coverage(other).total) == (3, 0, 3)
    with pytest.raises(SpaceNotReady, match="covers 0 of 3"):
        activate(other)
    assert Space.objects.active() == fake_space
    activate(other, even_if_partial=True)
    assert Space.objects.active() == other
    fake_space.refresh_from_db()
    assert fake_space.state == SpaceState.READY
    activate(fake_space)  # and back
    assert Space.objects.active() == fake_space


def test_vectors_are_kept_apart_by_space(harbour: Collection, fake_space: Space) -> None:
    make_encoded(harbour, fake_space, random_rows(3))
    other = make_space("next", "fake", "another")
    with connection.cursor() as cursor:
        counts = []
        for space in (fake_space, other):
            cursor.execute(f"SELECT count(*) FROM archive_embedding_{space.pk}")
            counts.append(cursor.fetchone()[0])
    assert counts == [3, 0]


@pytest.mark.parametrize(
    ("prepare", "searched", "filled", "status"),
    [
        ("ready", None, None, Status.PENDING),
        ("done", "ready", "ready", Status.PENDING),
        ("done", "running", "done", Status.PENDING),
        ("done", "done", "ready", Status.READY),
        ("done", "done", "quarantined", Status.READY),
        ("done", "quarantined", "done", Status.FAILED),
        ("done", "cancelled", "done", Status.FAILED),
        ("quarantined", None, None, Status.FAILED),
    ],
)
def test_an_asset_s_status_follows_from_its_work(
    harbour: Collection, fake_space: Space, prepare: str, searched: str | None, filled: str | None, status: Status
) -> None:
    """Only the searched space holds it back; one that is being filled does not."""
    other = make_space("next", "fake", "another")
    asset = make_prepared(harbour, pictures.distinct(1))
    Work.objects.update(state=prepare, last_error="Why.")
    for space, state in ((fake_space, searched), (other, filled)):
        if state:
            Work.objects.create(asset=asset, step=Step.ENCODE, target=space.slug, state=state, last_error="Why.")
    settle([asset.pk, asset.pk])
    asset.refresh_from_db()
    assert (asset.status, asset.error) == (status, "Why." if status == Status.FAILED else "")


def test_settling_nothing_asks_nothing(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        settle([])


def test_a_deleted_asset_takes_its_vectors_along(harbour: Collection, fake_space: Space) -> None:
    make_encoded(harbour, fake_space, random_rows(2))
    Asset.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM archive_embedding")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db(transaction=True)
def test_two_steps_that_end_at_the_same_moment_leave_the_asset_ready(harbour: Collection, fake_space: Space) -> None:
    asset = make_prepared(harbour, pictures.distinct(1), fake_space)
    Work.objects.update(state=WorkState.RUNNING)

    def end(step: Step) -> None:
        with transaction.atomic():
            Work.objects.filter(step=step).update(state=WorkState.DONE)
            settle([asset.pk])

    def end_the_other() -> None:
        try:
            end(Step.ENCODE)
        finally:
            connection.close()

    other = threading.Thread(target=end_the_other)
    with transaction.atomic():
        end(Step.PREPARE)
        other.start()
        other.join(0.5)  # it waits for this transaction
    other.join(20)
    asset.refresh_from_db()
    assert asset.status == Status.READY

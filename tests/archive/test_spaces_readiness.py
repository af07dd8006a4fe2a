"""An asset's status follows from its work, and only from that in the searched space."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from archive.models import Collection, Embedding, Space, Status, Step, Work, WorkState
from archive.readiness import settle
from tests import pictures
from tests.prepared import make_encoded, make_prepared, random_rows
from workers.spaces import make_space

pytestmark = pytest.mark.django_db


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


@pytest.mark.parametrize(
    ("prepare", "searched", "status"),
    [
        ("ready", "ready", Status.READY),
        ("done", "running", Status.READY),
        ("done", "quarantined", Status.READY),
        ("cancelled", "done", Status.READY),
        ("quarantined", "ready", Status.FAILED),
    ],
)
def test_what_is_ready_stays_so_while_its_work_is_done_again(
    harbour: Collection, fake_space: Space, prepare: str, searched: str, status: Status
) -> None:
    """Its old vector serves, even where no new one can be made. Without an original that can be read it fails."""
    (asset,) = make_encoded(harbour, fake_space, random_rows(1))
    Work.objects.create(asset=asset, step=Step.PREPARE, state=prepare, last_error="Why.")
    Work.objects.create(asset=asset, step=Step.ENCODE, target=fake_space.slug, state=searched, last_error="Why.")
    settle([asset.pk])
    asset.refresh_from_db()
    assert (asset.status, asset.error) == (status, "Why." if status == Status.FAILED else "")


def test_what_is_ready_but_lost_its_vector_fails_where_no_new_one_can_be_made(
    harbour: Collection, fake_space: Space
) -> None:
    (asset,) = make_encoded(harbour, fake_space, random_rows(1))
    Embedding.objects.all().delete()
    encoding = Work.objects.create(asset=asset, step=Step.ENCODE, target=fake_space.slug)
    for state, status in ((WorkState.READY, Status.READY), (WorkState.QUARANTINED, Status.FAILED)):
        Work.objects.filter(pk=encoding.pk).update(state=state)
        settle([asset.pk])
        asset.refresh_from_db()
        assert asset.status == status


def test_settling_nothing_asks_nothing(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        settle([])


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

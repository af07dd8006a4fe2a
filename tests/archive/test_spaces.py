"""Spaces: made with their partitions, filled beside the searched one, taken over in one moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from archive.models import Asset, Collection, Embedding, Frame, Kind, Space, SpaceState, Status, Step, Work, WorkState
from archive.models.work import Priority
from archive.readiness import settle
from archive.spaces import (
    IndexBeingBuilt,
    SpaceInUse,
    SpaceNotReady,
    activate,
    backfill,
    build_index,
    clear_away,
    coverage,
    create_space,
    drop_partitions,
    gaps,
    has_partitions,
    index_state,
    is_left_over,
    progress,
    promote_full,
    retire,
    rollback,
    stop_backfill,
)
from archive.spaces.index import only_builder
from archive.vectors import store_vectors
from archive.video.frames import open_encoding
from archive.work import skip
from search.neighbours import find_neighbours
from tests import pictures
from tests.prepared import make_encoded, make_prepared, random_rows
from workers.claims import Claim, claim, finish
from workers.encode import drain_encode
from workers.prepare import add_encoding
from workers.spaces import make_space
from workers.upkeep import index_by_name, look_after_spaces, spaces_to_index

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


def test_a_roll_back_needs_a_space_of_before(fake_space: Space) -> None:
    make_space("next", "fake", "another")
    with pytest.raises(SpaceNotReady, match="none to go back to"):
        rollback()


@pytest.mark.django_db(transaction=True)
def test_a_backfill_stops_and_goes_on_where_it_stopped(
    harbour: Collection, fake_space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.spaces.filling.CHUNK", 2)
    assets = [make_prepared(harbour, pictures.distinct(seed), fake_space) for seed in range(7)]
    drain_encode()
    other = make_space("next", "fake", "another")
    assert backfill(other) == 7
    mine = Work.objects.filter(target="next")
    assert set(mine.values_list("priority", flat=True)) == {Priority.BACKFILL}
    claim(Step.ENCODE, "next", 3, "somebody")
    Work.objects.create(asset=make_prepared(harbour, pictures.distinct(9)), step=Step.ENCODE, target="next")
    assert stop_backfill(other) == 4
    # What runs ends, and an upload is still written to both.
    assert sorted(mine.values_list("state", flat=True)) == ["ready", "running", "running", "running"]
    assert backfill(other) == 4
    mine.filter(state=WorkState.RUNNING).update(state=WorkState.READY)
    drain_encode()
    assert coverage(other).share == 1.0
    # A vector that was lost is missing again, though its work was done.
    Embedding.objects.filter(space=other, asset=assets[3]).delete()
    assert gaps(other).count == 1
    assert backfill(other) == 1
    assert backfill(other) == 0


@pytest.mark.django_db(transaction=True)
def test_vectors_that_are_there_already_count_without_being_made_again(harbour: Collection, fake_space: Space) -> None:
    """A space may be derived from another by transforming its vectors."""
    asset = make_prepared(harbour, pictures.distinct(1), fake_space)
    drain_encode()
    other = make_space("next", "fake", "another")
    frame = Frame.objects.get(asset=asset)
    store_vectors(other, [frame.pk], [asset.pk], random_rows(1))
    assert gaps(other).count == 1
    assert backfill(other) == 0
    assert (coverage(other).done, gaps(other).count) == (1, 0)
    assert promote_full() == other


@pytest.mark.django_db(transaction=True)
def test_a_space_becomes_ready_by_itself_when_it_is_full_and_has_its_index(
    harbour: Collection, fake_space: Space, settings: Any
) -> None:
    for seed in range(3):
        make_prepared(harbour, pictures.distinct(seed), fake_space)
    drain_encode()
    other = make_space("next", "fake", "another")
    settings.SIGHTLINE_INDEX_FROM = 3
    backfill(other)
    look_after_spaces()
    assert Space.objects.get(slug="next").state == SpaceState.BUILDING
    drain_encode()
    assert promote_full() is None  # large, and without an index
    with pytest.raises(SpaceNotReady, match="space index next"):
        activate(other)
    assert {space.slug for space in spaces_to_index()} == {"fake", "next"}
    index_by_name("next")
    assert Space.objects.get(slug="next").state == SpaceState.READY
    assert make_space("third", "fake", "one more").state == SpaceState.BUILDING  # there is room again
    activate(other)
    activate(fake_space, even_if_unindexed=True)


@pytest.mark.django_db(transaction=True)
def test_only_one_builds_an_index(harbour: Collection, fake_space: Space, settings: Any) -> None:
    make_encoded(harbour, fake_space, random_rows(5))
    settings.SIGHTLINE_INDEX_FROM = 5
    told: list[str] = []

    def build() -> None:
        try:
            build_index(fake_space)
        except IndexBeingBuilt as error:
            told.append(str(error))
        finally:
            connection.close()

    with only_builder(fake_space):
        other = threading.Thread(target=build)
        other.start()
        other.join(20)
    assert told == ["Another process is building an index, of fake or another space. Try again when it is done."]
    assert not index_state(fake_space).valid
    assert build_index(fake_space)


@pytest.mark.django_db(transaction=True)
def test_uploads_of_this_moment_do_not_hold_a_switch_up(harbour: Collection, fake_space: Space) -> None:
    make_prepared(harbour, pictures.distinct(0), fake_space)
    drain_encode()
    other = make_space("next", "fake", "another")
    backfill(other)
    drain_encode()
    late = make_prepared(harbour, pictures.distinct(1), fake_space, other)
    assert gaps(other).count == 0  # on its way in both: nobody loses it
    Work.objects.filter(asset=late, target="fake").update(state=WorkState.DONE)
    assert (gaps(other).count, gaps(other).arriving) == (1, 1)
    with pytest.raises(SpaceNotReady, match="covers 1 of 2"):
        activate(other)

    def encode_soon() -> None:
        try:
            time.sleep(0.5)
            drain_encode()
        finally:
            connection.close()

    worker = threading.Thread(target=encode_soon)
    worker.start()
    activate(other, patience=20)
    worker.join(20)
    assert Space.objects.active() == other


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", [Kind.PHOTO, Kind.VIDEO])
def test_what_is_prepared_while_a_space_is_made_is_in_it_or_in_its_filling(
    harbour: Collection, fake_space: Space, kind: Kind
) -> None:
    """Whoever ends just then has not seen the new space, and who fills it would not see what is not committed."""
    asset = make_prepared(harbour, pictures.distinct(0), fake_space)
    prepared = Work.objects.filter(asset=asset, step=Step.PREPARE)
    prepared.update(state=WorkState.RUNNING, token=uuid4())
    held, begun = threading.Event(), threading.Event()
    one = Claim(prepared.get().pk, asset.pk, prepared.get().token or uuid4())

    def prepare() -> None:
        try:
            with transaction.atomic():
                if kind == Kind.PHOTO:
                    add_encoding(asset, one)
                else:
                    open_encoding(asset, Priority.BULK)
                held.set()
                begun.wait(10)
                time.sleep(0.5)
                prepared.update(state=WorkState.DONE, done_at=timezone.now())
        finally:
            connection.close()

    worker = threading.Thread(target=prepare)
    worker.start()
    assert held.wait(10)
    begun.set()
    other = make_space("next", "fake", "another")
    assert backfill(other) == 1
    worker.join(10)
    assert Work.objects.filter(asset=asset, step=Step.ENCODE, target="next", state=WorkState.READY).exists()


@pytest.mark.django_db(transaction=True)
def test_what_was_set_aside_holds_a_switch_up_until_a_curator_decides(harbour: Collection, fake_space: Space) -> None:
    make_prepared(harbour, pictures.distinct(0), fake_space)
    bad = make_prepared(harbour, pictures.distinct(1), fake_space)
    drain_encode()
    other = make_space("next", "fake", "another")
    backfill(other)
    Work.objects.filter(asset=bad, target="next").update(state=WorkState.QUARANTINED)
    drain_encode()
    with pytest.raises(SpaceNotReady, match="1 were set aside"):
        activate(other)
    skip(Work.objects.filter(asset=bad, target="next"))
    assert (coverage(other).done, coverage(other).total) == (1, 1)
    activate(other)


def test_progress_tells_rate_time_left_and_size(harbour: Collection, fake_space: Space) -> None:
    assets = [make_prepared(harbour, pictures.distinct(seed), fake_space) for seed in range(4)]
    assert progress(fake_space).seconds_left is None
    for number, asset in enumerate(assets[:3]):
        done_at = timezone.now() - timedelta(seconds=30 - 10 * number)
        Work.objects.filter(asset=asset, step=Step.ENCODE).update(state=WorkState.DONE, done_at=done_at)
    row = progress(fake_space)
    assert row.rate == pytest.approx(0.1, rel=0.1)
    assert row.seconds_left == pytest.approx(10, rel=0.1)
    told = row.as_dict()
    assert (told["slug"], told["state"], told["done"], told["total"], told["share"]) == ("fake", "active", 3, 4, 0.75)
    assert told["index"] == {"valid": False, "rows": 0, "built": None}
    assert told["bytes"] > 0
    assert told["activated_at"]

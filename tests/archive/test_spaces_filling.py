"""Spaces are filled beside the searched one: all that is missing, once, with an index, and with their progress."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from archive.models import Collection, Embedding, Frame, Kind, Space, SpaceState, Step, Work, WorkState
from archive.models.work import Priority
from archive.spaces import (
    IndexBeingBuilt,
    SpaceNotReady,
    activate,
    backfill,
    build_index,
    coverage,
    gaps,
    index_state,
    progress,
    promote_full,
    stop_backfill,
)
from archive.spaces.index import only_builder
from archive.vectors import store_vectors
from archive.video.frames import open_encoding
from tests import pictures
from tests.prepared import make_encoded, make_prepared, random_rows
from workers.claims import Claim, claim
from workers.encode import drain_encode
from workers.prepare import add_encoding
from workers.spaces import make_space
from workers.upkeep import index_by_name, look_after_spaces, spaces_to_index

pytestmark = pytest.mark.django_db


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

"""Batches are taken back exactly, but for what somebody changed since."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils.timezone import now

from archive.batch_work import work_on_next
from archive.batches import make_batch, undo, why_left
from archive.deeds import Refused
from archive.models import Asset, BatchItem, BatchState, Collection
from archive.tags import add_tags, remove_tags
from archive.trash import restore, trash
from tests.workers.batches.orders import ACTIONS, ask, drain, names_of, order, picture

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize(("action", "arguments"), ACTIONS)
def test_what_is_counted_is_changed_and_undone_to_the_last_field(
    boats: list[Asset], attic: Collection, alice: User, action: str, arguments: dict[str, Any]
) -> None:
    add_tags(Asset.objects.filter(pk__in=[b.pk for b in boats[:2]]), ["old"], alice)
    add_tags(Asset.objects.filter(pk=boats[0].pk), ["sea"], alice)
    before = picture()
    batch = ask(alice, action, **arguments)
    assert batch.total == 5
    drain(batch)
    assert (batch.state, batch.done + batch.skipped) == (BatchState.DONE, 5)
    assert batch.done == {"tag": 4, "untag": 2, "move": 5, "trash": 5}[action]
    assert picture() != before
    undo(batch)
    drain(batch)
    assert (batch.state, batch.undone, batch.kept) == (BatchState.UNDONE, batch.done, 0)
    assert picture() == before


def test_restoring_is_undone_to_the_moment_of_trashing(boats: list[Asset], alice: User) -> None:
    long_ago = now() - timedelta(days=20)
    Asset.objects.update(trashed_at=long_ago)
    batch = make_batch(order(alice, "restore"), alice, Asset.objects.all())
    assert drain(batch).done == 5
    assert not Asset.objects.filter(trashed_at__isnull=False).exists()
    undo(batch)
    drain(batch)
    assert set(Asset.objects.values_list("trashed_at", flat=True)) == {long_ago}


@pytest.mark.usefixtures("small_chunks")
def test_an_undo_in_the_middle_stops_and_takes_back_what_was_done(boats: list[Asset], alice: User) -> None:
    before = picture()
    batch = ask(alice, "trash")
    work_on_next()
    undo(batch)
    drain(batch)
    assert (batch.state, batch.done, batch.undone) == (BatchState.UNDONE, 2, 2)
    assert picture() == before
    with pytest.raises(Refused, match="undone already"):
        undo(batch)


def test_undo_leaves_what_somebody_changed_since(boats: list[Asset], alice: User, bob: User, attic: Collection) -> None:
    trashing, tagging, moving = ask(alice, "trash"), None, None
    drain(trashing)
    restore(Asset.objects.filter(pk=boats[0].pk))
    restore(Asset.objects.filter(pk=boats[1].pk))
    trash(Asset.objects.filter(pk=boats[1].pk))
    undo(trashing)
    assert drain(trashing).kept == 2
    boats[1].refresh_from_db()
    assert boats[1].trashed_at is not None
    restore(Asset.objects.all())

    tagging = drain(ask(alice, "tag", tags=["sea"]))
    remove_tags(Asset.objects.filter(pk=boats[0].pk), ["sea"], bob)
    add_tags(Asset.objects.filter(pk=boats[0].pk), ["sea"], bob)
    undo(tagging)
    assert drain(tagging).kept == 1
    assert [names_of(boat) for boat in boats] == [["sea"], [], [], [], []]

    moving = drain(ask(alice, "move", collection="attic"))
    cellar = Collection.objects.create(slug="cellar", name="Cellar", owner=alice)
    Asset.objects.filter(pk=boats[0].pk).update(collection=cellar)
    undo(moving)
    assert drain(moving).kept == 1
    assert sorted(Asset.objects.values_list("collection__slug", flat=True)) == ["cellar", *["harbour"] * 4]


def test_moving_skips_what_is_there_and_an_undo_what_came_back(
    boats: list[Asset], attic: Collection, alice: User
) -> None:
    twin = Asset.objects.create(collection=attic, sha256=boats[0].sha256, original="o", filename="twin.jpg", size=1)
    batch = ask(alice, "move", collection="attic")
    drain(batch)
    assert (batch.total, batch.done) == (6, 4)
    assert dict(why_left(batch)) == {"It is in Attic already.": 1, "Attic has the same picture.": 1}
    twin.delete()
    Asset.objects.create(
        collection=boats[0].collection, sha256=boats[1].sha256, original="o", filename="again.jpg", size=1
    )
    undo(batch)
    drain(batch)
    assert (batch.undone, batch.kept) == (3, 1)
    assert ("Harbour has the same picture by now.", 1) in why_left(batch)


def test_an_asset_that_is_purged_leaves_its_batches(boats: list[Asset], alice: User) -> None:
    batch = drain(ask(alice, "trash"))
    boats[0].delete()
    undo(batch)
    assert drain(batch).undone == 4


def test_an_asset_that_was_purged_while_it_was_chosen_is_passed_over(boats: list[Asset], alice: User) -> None:
    batch = ask(alice, "trash")
    BatchItem.objects.filter(asset=boats[0]).update(asset_id=0)
    drain(batch)
    assert (batch.done, why_left(batch)) == (4, [("It was deleted for good.", 1)])
    BatchItem.objects.filter(asset=boats[1]).update(asset_id=-1)
    undo(batch)
    drain(batch)
    assert (batch.undone, batch.kept) == (3, 1)

"""Batches are applied by a worker in chunks, and permission is asked again for each asset."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from archive.batch_work import work_on_next
from archive.batches import sweep_batches, undo, why_left
from archive.deeds import DEEDS
from archive.models import Asset, Batch, BatchItem, BatchState, Collection, ItemState, Membership, Role
from archive.moving import move
from archive.tags import add_tags, get_concepts
from archive.trash import trash
from tests.workers.batches.orders import ACTIONS, ask, drain, make_assets, picture
from workers.tasks import drain_batches_task, tick

pytestmark = pytest.mark.django_db


def locks(queries: CaptureQueriesContext) -> list[str]:
    """What was locked first, and what then."""
    found = [
        "collection" if "pg_advisory_xact_lock(1," in query["sql"] else "assets"
        for query in queries.captured_queries
        if "pg_advisory_xact_lock(1," in query["sql"]
        or ('FROM "archive_asset"' in query["sql"] and "FOR " in query["sql"] and "UPDATE" in query["sql"])
    ]
    return [one for number, one in enumerate(found) if one not in found[:number]]


def test_a_move_locks_the_collection_before_the_assets_however_it_is_asked_for(
    boats: list[Asset], attic: Collection, alice: User
) -> None:
    """In different orders two moves at once would wait for each other."""
    batch = ask(alice, "move", collection="attic")
    with CaptureQueriesContext(connection) as applying:
        drain(batch)
    undo(batch)
    with CaptureQueriesContext(connection) as undoing:
        drain(batch)
    with CaptureQueriesContext(connection) as alone:
        move(Asset.objects.all(), attic)
    assert locks(applying) == locks(undoing) == locks(alone) == ["collection", "assets"]


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize(("action", "arguments"), ACTIONS)
def test_a_worker_that_dies_in_a_chunk_leaves_it_undone_and_the_next_one_goes_on(
    boats: list[Asset],
    attic: Collection,
    alice: User,
    monkeypatch: pytest.MonkeyPatch,
    action: str,
    arguments: dict[str, Any],
) -> None:
    add_tags(Asset.objects.all(), ["old"], alice)
    batch = ask(alice, action, **arguments)
    assert work_on_next()
    after_one = picture()

    class Killed(BaseException):
        pass

    def killed(*args: Any, **kwargs: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Batch, "save", killed)  # the last thing of a chunk: all else has been written
        with pytest.raises(Killed):
            work_on_next()
    assert picture() == after_one
    batch.refresh_from_db()
    assert (batch.state, batch.done) == (BatchState.RUNNING, 2)
    drain(batch)
    assert (batch.done, batch.skipped) == (5, 0)  # nothing twice: a second time it would have been skipped
    assert batch.items.filter(state=ItemState.DONE).count() == 5


def test_permission_is_asked_again_when_the_work_is_done(
    boats: list[Asset], carol: User, alice: User, attic: Collection
) -> None:
    batch = ask(carol, "trash")
    Asset.objects.filter(pk=boats[0].pk).update(collection=attic)
    trash(Asset.objects.filter(pk=boats[1].pk))
    drain(batch)
    assert (batch.done, batch.skipped) == (3, 2)
    assert dict(why_left(batch)) == {"You do not curate its collection any more.": 1, "It lies in the trash by now.": 1}
    boats[0].refresh_from_db()
    assert boats[0].trashed_at is None
    Membership.objects.filter(user=carol).delete()
    undo(batch)
    drain(batch)
    assert (batch.undone, batch.kept) == (0, 3)


def test_a_target_that_is_closed_meanwhile_stops_the_batch_with_a_sentence(
    boats: list[Asset], attic: Collection, carol: User
) -> None:
    Membership.objects.create(collection=attic, user=carol, role=Role.CURATOR)
    batch = ask(carol, "move", collection="attic")
    Membership.objects.filter(collection=attic).delete()
    drain(batch)
    assert (batch.state, batch.done) == (BatchState.FAILED, 0)
    assert "you do not curate it any more" in batch.error


@pytest.mark.usefixtures("small_chunks")
def test_batches_take_turns(boats: list[Asset], alice: User) -> None:
    first, second = ask(alice, "tag", tags=["one"]), ask(alice, "tag", tags=["two"])
    work_on_next()
    work_on_next()
    assert list(Batch.objects.order_by("pk").values_list("done", flat=True)) == [2, 2]
    drain(first)
    second.refresh_from_db()
    assert second.state == BatchState.DONE


def test_a_chunk_costs_the_same_for_many_as_for_few(harbour: Collection, alice: User, attic: Collection) -> None:
    def cost(action: str, **arguments: Any) -> tuple[int, int]:
        batch = ask(alice, action, **arguments)
        with CaptureQueriesContext(connection) as asked:
            work_on_next()
        undo(drain(batch))
        with CaptureQueriesContext(connection) as undone:
            work_on_next()
        drain(batch)
        return len(asked), len(undone)

    get_concepts(["sea", "old"], alice)  # making a new one takes a few more, once
    make_assets(harbour, 1)
    few = {action: cost(action, **arguments) for action, arguments in ACTIONS}
    make_assets(harbour, 12, "more")
    assert {action: cost(action, **arguments) for action, arguments in ACTIONS} == few


def test_what_nobody_expected_stops_one_batch_and_not_the_others(
    boats: list[Asset], alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, fine = ask(alice, "tag", tags=["one"]), ask(alice, "trash")

    def burst(*args: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(DEEDS["tag"], "apply", burst)
    drain(broken)
    assert (broken.state, "ZeroDivisionError" in broken.error) == (BatchState.FAILED, True)
    fine.refresh_from_db()
    assert (fine.state, fine.done) == (BatchState.DONE, 5)


def test_the_clock_rings_for_batches_whose_doorbell_was_lost(
    boats: list[Asset], alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[str] = []
    monkeypatch.setattr("archive.dispatch._send", lambda name, *args, expires: rung.append(name))
    tick()
    assert rung == []
    batch = ask(alice, "trash")
    tick()
    assert rung == ["workers.drain_batches"]
    drain_batches_task()
    batch.refresh_from_db()
    assert batch.state == BatchState.DONE


def test_old_batches_are_forgotten_with_their_items(boats: list[Asset], alice: User, settings: Any) -> None:
    old, fresh, open_ = drain(ask(alice, "tag", tags=["a"])), drain(ask(alice, "tag", tags=["b"])), ask(alice, "trash")
    Batch.objects.filter(pk__in=[old.pk, open_.pk]).update(created_at=now() - timedelta(days=31))
    assert sweep_batches() == 1
    assert set(Batch.objects.values_list("pk", flat=True)) == {fresh.pk, open_.pk}
    assert BatchItem.objects.count() == 10

"""Batches: applied by a worker in chunks, permission asked again for each asset, taken back exactly."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from archive import exports
from archive.batch_work import work_on_next
from archive.batches import (
    Order,
    SetChanged,
    make_batch,
    measure,
    read_order,
    sweep_batches,
    undo,
    why_left,
)
from archive.deeds import DEEDS, Refused
from archive.deeds.deed import Deed
from archive.deeds.download import Downloading
from archive.models import (
    Asset,
    Batch,
    BatchItem,
    BatchState,
    Collection,
    ItemState,
    Membership,
    Role,
    Status,
    Tag,
)
from archive.moving import move
from archive.tags import add_tags, get_concepts, remove_tags, tags_of
from archive.trash import restore, trash
from tests.cast import make_user
from workers.batches import drain_batches
from workers.tasks import drain_batches_task, tick

pytestmark = pytest.mark.django_db


def make_assets(collection: Collection, count: int, prefix: str = "boat") -> list[Asset]:
    """Ready assets with files of a few bytes."""
    assets = []
    for n in range(count):
        data = f"{collection.slug} {prefix} {n}".encode()
        digest = hashlib.sha256(data).hexdigest()
        key = f"originals/{digest[:2]}/{digest[2:4]}/{digest}"
        default_storage.save(key, ContentFile(data))
        fields = {"original": key, "filename": f"{prefix}.jpg", "media_type": "image/jpeg", "size": len(data)}
        assets.append(Asset.objects.create(collection=collection, sha256=digest, status=Status.READY, **fields))
    return assets


@pytest.fixture
def boats(harbour: Collection) -> list[Asset]:
    return make_assets(harbour, 5)


@pytest.fixture
def attic(alice: User) -> Collection:
    return Collection.objects.create(slug="attic", name="Attic", owner=alice)


@pytest.fixture
def carol(harbour: Collection) -> User:
    """Curates the harbour, nothing else."""
    carol = make_user("carol")
    Membership.objects.create(collection=harbour, user=carol, role=Role.CURATOR)
    return carol


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Deed, "chunk", 2)


def order(user: User, action: str, **arguments: Any) -> Order:
    return read_order(action, arguments, user, "Everything", {})


def ask(user: User, action: str, **arguments: Any) -> Batch:
    return make_batch(order(user, action, **arguments), user, Asset.objects.visible_to(user))


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


def drain(batch: Batch) -> Batch:
    assert drain_batches() is False
    batch.refresh_from_db()
    assert not batch.is_open
    return batch


def names_of(asset: Asset) -> list[str]:
    return [concept.name for concept in tags_of(asset)]


def picture() -> dict[str, list[tuple[Any, ...]]]:
    """Everything that an action may change."""
    assets = Asset.objects.order_by("pk").values_list("pk", "collection", "trashed_at")
    tags = Tag.objects.order_by("asset", "concept").values_list("asset", "concept", "state", "source", "by", "at")
    return {"assets": list(assets), "tags": list(tags)}


ACTIONS: list[tuple[str, dict[str, Any]]] = [
    ("tag", {"tags": ["sea, old"]}),
    ("untag", {"tags": ["old"]}),
    ("move", {"collection": "attic"}),
    ("trash", {}),
]


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


def test_what_others_own_is_never_chosen(boats: list[Asset], attic: Collection, carol: User, bob: User) -> None:
    make_assets(attic, 2, "secret")
    batch = make_batch(order(carol, "trash"), carol, Asset.objects.all())
    assert batch.total == 5
    with pytest.raises(Refused, match="nothing that you could"):
        make_batch(order(bob, "trash"), bob, Asset.objects.all())
    assert make_batch(order(bob, "download"), bob, Asset.objects.all()).total == 5


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


def test_a_target_that_is_closed_meanwhile_stops_the_batch_with_a_sentence(
    boats: list[Asset], attic: Collection, carol: User
) -> None:
    Membership.objects.create(collection=attic, user=carol, role=Role.CURATOR)
    batch = ask(carol, "move", collection="attic")
    Membership.objects.filter(collection=attic).delete()
    drain(batch)
    assert (batch.state, batch.done) == (BatchState.FAILED, 0)
    assert "you do not curate it any more" in batch.error


def test_another_set_than_the_one_that_was_shown_is_refused(boats: list[Asset], alice: User) -> None:
    shown = measure(Asset.objects.all())
    assert shown.count == 5
    make_assets(boats[0].collection, 1, "new")
    trash(Asset.objects.filter(pk=boats[0].pk))
    for expected in (shown.token, "6"):
        with pytest.raises(SetChanged, match="Nothing was done") as refused:
            make_batch(order(alice, "trash"), alice, Asset.objects.visible_to(alice), expected)
        assert refused.value.now == 5
    assert not Batch.objects.exists()
    make_batch(order(alice, "trash"), alice, Asset.objects.visible_to(alice), "5")


@pytest.mark.parametrize(
    ("action", "arguments", "name"),
    [
        ("delete", {}, "action"),
        ("", {}, "action"),
        ("tag", {}, "tags"),
        ("tag", {"tags": [f"tag {n}" for n in range(10_000)]}, "tags"),
        ("tag", {"tags": ["a\0b"]}, "tags"),
        ("untag", {"tags": [" , "]}, "tags"),
        ("move", {}, "collection"),
        ("move", {"collection": "hidden"}, "collection"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(
    boats: list[Asset], carol: User, alice: User, action: str, arguments: dict[str, Any], name: str
) -> None:
    Collection.objects.create(slug="hidden", name="Hidden", owner=alice)
    with pytest.raises(Refused) as refused:
        order(carol, action, **arguments)
    assert refused.value.name == name


def test_nobody_fills_the_queue_alone(boats: list[Asset], alice: User) -> None:
    for _ in range(20):
        ask(alice, "download")
    with pytest.raises(Refused, match="not done yet"):
        ask(alice, "download")


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


def test_old_batches_are_forgotten_with_their_items(boats: list[Asset], alice: User, settings: Any) -> None:
    old, fresh, open_ = drain(ask(alice, "tag", tags=["a"])), drain(ask(alice, "tag", tags=["b"])), ask(alice, "trash")
    Batch.objects.filter(pk__in=[old.pk, open_.pk]).update(created_at=now() - timedelta(days=31))
    assert sweep_batches() == 1
    assert set(Batch.objects.values_list("pk", flat=True)) == {fresh.pk, open_.pk}
    assert BatchItem.objects.count() == 10


# ---- downloads ---------------------------------------------------------------------------------


def contents(batch: Batch) -> dict[str, bytes]:
    with zipfile.ZipFile(exports.finished(batch)) as file:
        assert file.testzip() is None
        assert len(set(file.namelist())) == len(file.namelist())
        return {info.filename: file.read(info) for info in file.infolist()}


def originals(assets: list[Asset]) -> set[bytes]:
    return {default_storage.open(asset.original).read() for asset in assets}


@pytest.mark.usefixtures("small_chunks")
def test_a_download_holds_every_original_under_a_name_of_its_own(boats: list[Asset], bob: User) -> None:
    names = ["../../etc/passwd", "BOAT.JPG", "boat.jpg", "con.jpg", "été\n.png"]
    for boat, name in zip(boats, names, strict=True):
        Asset.objects.filter(pk=boat.pk).update(filename=name)
    batch = drain(ask(bob, "download"))
    assert (batch.state, batch.done) == (BatchState.DONE, 5)
    found = contents(batch)
    assert set(found.values()) == originals(boats)
    assert {"boat.jpg", "_con.jpg", "été_.png"} < set(found)
    assert not [name for name in found if "/" in name or name.startswith(".")]
    assert len({name.casefold() for name in found}) == 5


@pytest.mark.usefixtures("small_chunks")
def test_a_download_goes_on_behind_what_a_killed_worker_left(
    boats: list[Asset], alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = ask(alice, "download")
    work_on_next()
    monkeypatch.setattr(Batch, "save", lambda *args: 1 / 0)
    work_on_next()  # written to the file, and never to the database
    monkeypatch.undo()
    monkeypatch.setattr(Deed, "chunk", 2)
    Batch.objects.update(state=BatchState.RUNNING)
    with exports.unfinished(batch).open("ab") as torn:
        torn.write(b"torn" * 1000)
    drain(batch)
    assert set(contents(batch).values()) == originals(boats)
    assert len(contents(batch)) == 5


def test_whoever_dies_after_the_last_rename_leaves_a_whole_file(
    boats: list[Asset], alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = ask(alice, "download")
    work_on_next()
    batch.refresh_from_db()
    Downloading().finish(batch)
    drain(batch)
    assert (batch.state, len(contents(batch))) == (BatchState.DONE, 5)


def test_a_zip_of_more_than_four_gigabytes_is_whole(
    boats: list[Asset], alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Deed, "chunk", 2)
    batch = ask(alice, "download")
    work_on_next()
    large = 5 * 2**30
    with exports.unfinished(batch).open("ab") as file:
        file.truncate(large)  # a hole, which takes no room on the disk
    Batch.objects.update(size=large)
    drain(batch)
    assert exports.finished(batch).stat().st_size > large
    assert set(contents(batch).values()) == originals(boats)
    exports.discard(batch)


def test_large_files_end_a_chunk_early(boats: list[Asset], alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.deeds.download.MOST_BYTES", 10)
    batch = ask(alice, "download")
    work_on_next()
    batch.refresh_from_db()
    assert batch.done == 1
    assert len(contents(drain(batch))) == 5


def test_what_is_missing_or_hidden_by_now_is_left_out_with_the_reason(
    boats: list[Asset], bob: User, attic: Collection
) -> None:
    batch = ask(bob, "download")
    default_storage.delete(boats[0].original)
    Asset.objects.filter(pk=boats[1].pk).update(collection=attic)
    drain(batch)
    assert len(contents(batch)) == batch.done == 3
    assert {count for _, count in why_left(batch)} == {1}


def test_a_download_for_which_the_disk_has_no_room_is_refused(
    boats: list[Asset], alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    Asset.objects.update(size=2**50)
    with pytest.raises(Refused, match="the archive's disk has room for"):
        ask(alice, "download")
    Asset.objects.update(size=10)
    batch = ask(alice, "download")
    monkeypatch.setattr(exports, "room", lambda: 0)
    drain(batch)
    assert (batch.state, "almost full" in batch.error) == (BatchState.FAILED, True)


@pytest.mark.usefixtures("small_chunks")
def test_a_file_that_was_lost_stops_with_a_sentence(boats: list[Asset], alice: User) -> None:
    batch = ask(alice, "download")
    work_on_next()
    exports.unfinished(batch).unlink()
    drain(batch)
    assert (batch.state, "Ask for the download again" in batch.error) == (BatchState.FAILED, True)


def test_an_undone_download_leaves_no_file_and_old_ones_are_swept(
    boats: list[Asset], alice: User, age: Callable[[Path], None]
) -> None:
    first, second = drain(ask(alice, "download")), drain(ask(alice, "download"))
    undo(first)
    drain(first)
    assert not exports.finished(first).exists()
    assert exports.sweep_exports() == 0
    age(exports.finished(second))
    assert exports.sweep_exports() == 1
    assert not exports.finished(second).exists()


@pytest.fixture
def age() -> Callable[[Path], None]:
    import os
    import time

    def older(path: Path) -> None:
        long_ago = time.time() - 25 * 3600
        os.utime(path, (long_ago, long_ago))

    return older

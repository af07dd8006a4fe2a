"""Downloads: a batch that writes one file of all originals."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage

from archive import exports
from archive.batch_work import work_on_next
from archive.batches import undo, why_left
from archive.deeds import Refused
from archive.deeds.deed import Deed
from archive.deeds.download import Downloading
from archive.models import Asset, Batch, BatchState, Collection
from tests.workers.batches.orders import ask, drain

pytestmark = pytest.mark.django_db


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

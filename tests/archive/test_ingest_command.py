"""`manage.py ingest`: files and folders into the archive."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection

from archive import bulk_ingest, dispatch
from archive.bulk_ingest import Tally, ingest_files
from archive.folders import NotTaken, walk
from archive.incoming import receive_file
from archive.management.commands import ingest as command
from archive.models import Asset, Collection, Space, Status, Step, Work
from archive.models.work import Priority
from tests import pictures
from tests.cast import make_jpeg
from workers.encode import drain_encode
from workers.prepare import drain_prepare

pytestmark = pytest.mark.django_db(transaction=True)


def run(*arguments: object, **options: Any) -> dict[str, Any]:
    """The outcome, whether or not the exit status says that something failed."""
    out = StringIO()
    status = 0
    try:
        call_command("ingest", *map(str, arguments), "--json", stdout=out, **options)
    except CommandError as error:
        status = error.returncode
    outcome: dict[str, Any] = json.loads(out.getvalue())
    assert set(outcome) == {"new", "duplicate", "failed", "assets"}
    assert status == (1 if outcome["failed"] else 0)
    return outcome


@pytest.fixture
def holiday(tmp_path: Path) -> Path:
    """Two pictures, one of them twice, in folders."""
    folder = tmp_path / "holiday"
    (folder / "day 2" / "evening").mkdir(parents=True)
    make_jpeg(folder, "red.jpg", "red")
    make_jpeg(folder / "day 2", "blue.jpg", "blue")
    make_jpeg(folder / "day 2" / "evening", "red again.jpg", "red")
    return folder


def test_folders_are_taken_in_with_all_they_hold_into_a_new_collection(alice: User, holiday: Path) -> None:
    outcome = run(holiday, collection="old-boats")
    assert (outcome["new"], outcome["duplicate"], outcome["failed"]) == (2, 1, [])
    collection = Collection.objects.get()
    assert (collection.slug, collection.name, collection.owner) == ("old-boats", "Old boats", alice)
    assert set(outcome["assets"]) == {str(asset.uuid) for asset in collection.assets.all()}
    assert len(outcome["assets"]) == 2
    assert {work.priority for work in Work.objects.all()} == {Priority.BULK}
    assert {asset.uploader for asset in Asset.objects.all()} == {alice}
    again = run(holiday, collection="old-boats")
    assert (again["new"], again["duplicate"], set(again["assets"])) == (0, 3, set(outcome["assets"]))


def test_hidden_and_system_files_are_passed_over_and_other_files_named(alice: User, holiday: Path) -> None:
    (holiday / ".DS_Store").write_bytes(b"finder")
    (holiday / ".thumbs").mkdir()
    make_jpeg(holiday / ".thumbs", "hidden.jpg", "green")
    (holiday / "Thumbs.db").write_bytes(b"windows")
    (holiday / "notes.txt").write_text("words")
    (holiday / "empty.jpg").touch()
    outcome = run(holiday)
    assert outcome["new"] == 2
    told = {Path(one["path"]).name: one["error"] for one in outcome["failed"]}
    assert set(told) == {"notes.txt", "empty.jpg"}
    assert "not a picture" in told["notes.txt"]
    assert "empty" in told["empty.jpg"]


def test_links_are_not_followed_and_those_that_lead_out_are_named(alice: User, holiday: Path, tmp_path: Path) -> None:
    secret = make_jpeg(tmp_path, "secret.jpg", "green")
    (holiday / "out.jpg").symlink_to(secret)
    (holiday / "up").symlink_to(tmp_path)
    (holiday / "round").symlink_to(holiday)
    (holiday / "twin.jpg").symlink_to(holiday / "red.jpg")
    (holiday / "broken.jpg").symlink_to(holiday / "nothing")
    outcome = run(holiday)
    assert (outcome["new"], outcome["duplicate"]) == (2, 1)
    assert {Path(one["path"]).name for one in outcome["failed"]} == {"out.jpg", "up", "broken.jpg"}
    assert run(holiday / "out.jpg")["new"] == 1  # named by itself, it is meant


def test_a_pipe_in_a_folder_does_not_hang_the_command(alice: User, holiday: Path) -> None:
    os.mkfifo(holiday / "pipe.jpg")
    assert run(holiday)["failed"] == []
    outcome = run(holiday / "pipe.jpg")
    assert [one["error"] for one in outcome["failed"]] == ["This is neither a file nor a folder."]


def test_a_path_that_is_not_there_does_not_stop_the_others(alice: User, holiday: Path) -> None:
    outcome = run(holiday / "nowhere", holiday / "red.jpg")
    assert outcome["new"] == 1
    assert outcome["failed"] == [{"path": str(holiday / "nowhere"), "error": "There is no such file or folder."}]


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_taken(
    alice: User, holiday: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse_red(path: Path) -> Any:
        if path.name == "red.jpg":
            raise PermissionError(13, "Permission denied")  # root reads everything: chmod would not do
        return receive_file(path)

    monkeypatch.setattr("archive.bulk_ingest.receive_file", refuse_red)
    outcome = run(holiday)
    assert (outcome["new"], len(outcome["failed"])) == (2, 1)
    assert outcome["failed"][0]["error"] == "This file cannot be read: Permission denied."


def test_names_that_are_no_text_are_taken_in_and_shown(alice: User, tmp_path: Path) -> None:
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9\n.jpg")
    Path(odd).write_bytes(pictures.jpeg(pictures.distinct(1)))
    Path(odd + ".txt").write_text("words")
    outcome = run(tmp_path)
    assert outcome["new"] == 1
    assert "caf�" in outcome["failed"][0]["path"]
    assert Asset.objects.get().filename == "caf.jpg"


def test_a_full_disk_stops_at_once_and_says_so(alice: User, holiday: Path, settings: Any) -> None:
    for number in range(50):
        make_jpeg(holiday, f"{number}.jpg", f"#0000{number + 10}", (16, 16))
    settings.SIGHTLINE_UPLOAD_LIMIT = 2**60
    outcome = run(holiday)
    assert outcome["new"] == 0
    assert 1 <= len(outcome["failed"]) <= bulk_ingest.THREADS
    assert all("were not tried" in one["error"] for one in outcome["failed"])


def test_a_file_over_the_limit_is_refused_before_it_is_copied(
    alice: User, holiday: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SIGHTLINE_UPLOAD_LIMIT = 10
    monkeypatch.setattr("archive.bulk_ingest.receive_file", None)
    assert len(run(holiday)["failed"]) == 3


def test_ctrl_c_keeps_what_is_in_and_says_what_was_done(
    alice: User, holiday: Path, media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[Path] = []
    take = bulk_ingest.take

    def interrupted(path: Path, *args: Any) -> Any:
        if taken:
            raise KeyboardInterrupt
        taken.append(path)
        return take(path, *args)

    rung: list[Step] = []
    monkeypatch.setattr(bulk_ingest, "take", interrupted)
    monkeypatch.setattr(dispatch, "ring", rung.append)
    out = StringIO()
    with pytest.raises(CommandError, match="Stopped") as stopped:
        call_command("ingest", str(holiday), "--json", stdout=out)
    assert stopped.value.returncode == 130
    assert json.loads(out.getvalue())["new"] == Asset.objects.count() == 1
    assert rung == [Step.PREPARE]
    assert not list(media_root.glob("incoming/*.part"))


def test_one_bell_rings_for_a_hundred_files(
    alice: User, harbour: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_ingest, "RING_EVERY", 4)
    rung: list[Step] = []
    monkeypatch.setattr(dispatch, "ring", rung.append)
    for number in range(10):
        make_jpeg(tmp_path, f"{number}.jpg", f"#{number}{number}{number}", (32, 32))
    for _ in ingest_files(walk([tmp_path]), harbour, alice, Tally()):
        pass
    assert rung == [Step.PREPARE] * 3


def test_files_are_found_one_at_a_time(tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / f"{number}.jpg").touch()
    found = walk([tmp_path])
    assert isinstance(found, Iterator)
    next(found)
    for path in tmp_path.iterdir():
        path.unlink()
    assert all(isinstance(one, Path | NotTaken) for one in found)


def test_an_error_that_nobody_expected_is_not_swallowed(
    alice: User, holiday: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any) -> Any:
        raise RuntimeError("a bug")

    monkeypatch.setattr(bulk_ingest, "take", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        call_command("ingest", str(holiday))


def test_equal_files_taken_in_at_the_same_time_become_one_asset(alice: User, tmp_path: Path) -> None:
    for number in range(20):
        make_jpeg(tmp_path, f"{number}.jpg", "red")
    outcome = run(tmp_path)
    assert (outcome["new"], outcome["duplicate"], len(outcome["assets"])) == (1, 19, 1)


# ---- who and where -----------------------------------------------------------------------------


def test_nobody_ingests_where_they_may_not(harbour: Collection, visitor: User, holiday: Path) -> None:
    with pytest.raises(CommandError, match="may not upload"):
        call_command("ingest", str(holiday), collection="harbour", user="visitor")
    assert not Asset.objects.exists()
    assert run(holiday, collection="harbour", user="bob")["new"] == 2


def test_an_archive_without_people_says_whom_to_make(db: None, holiday: Path) -> None:
    with pytest.raises(CommandError, match="createsuperuser"):
        call_command("ingest", str(holiday))


@pytest.mark.parametrize("slug", ["Old boats!", "a/b", "\x00", "x" * 200])
def test_a_collection_needs_an_address(alice: User, holiday: Path, slug: str) -> None:
    with pytest.raises(CommandError, match="address of a collection"):
        call_command("ingest", str(holiday), collection=slug)


def test_without_json_the_failures_and_a_line_of_numbers_are_printed(alice: User, holiday: Path) -> None:
    (holiday / "notes.txt").write_text("words")
    out, err = StringIO(), StringIO()
    with pytest.raises(CommandError, match="1 of 4"):
        call_command("ingest", str(holiday), stdout=out, stderr=err)
    assert out.getvalue() == "2 new, 1 known before, 1 failed\n"
    assert "notes.txt: This is not a picture" in err.getvalue()


# ---- waiting -----------------------------------------------------------------------------------


@pytest.fixture
def worker_soon() -> Iterator[None]:
    """A worker that comes half a second later, in a thread with a connection of its own."""

    def work() -> None:
        time.sleep(0.5)
        drain_prepare()
        drain_encode()
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    thread.join()


def test_wait_returns_when_all_are_ready_or_failed_and_names_the_failed(
    alice: User, fake_space: Space, holiday: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = holiday / "broken.jpg"
    broken.write_bytes(pictures.cut(pictures.jpeg(pictures.distinct(3)), 0.2))
    looks = []

    def work_meanwhile(seconds: float) -> None:
        looks.append(seconds)
        drain_prepare()
        drain_encode()

    monkeypatch.setattr("archive.patience.sleep", work_meanwhile)
    outcome = run(holiday, wait=True)
    assert len(looks) == 1
    assert (outcome["new"], outcome["duplicate"]) == (3, 1)
    assert [one["path"] for one in outcome["failed"]] == [str(broken)]
    assert outcome["failed"][0]["error"] == Asset.objects.get(filename="broken.jpg").error
    assert set(Asset.objects.exclude(filename="broken.jpg").values_list("status", flat=True)) == {Status.READY}


def test_wait_sees_what_workers_of_another_connection_do(
    alice: User, fake_space: Space, holiday: Path, worker_soon: None
) -> None:
    assert run(holiday, wait=True)["failed"] == []
    assert not Asset.objects.exclude(status=Status.READY).exists()


def test_wait_says_when_nothing_moves(
    alice: User, fake_space: Space, holiday: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "PATIENCE", 0.05)
    naps = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 4:
            drain_prepare()
            drain_encode()
        threading.Event().wait(0.1)

    monkeypatch.setattr("archive.patience.sleep", nap)
    assert run(holiday, wait=True)["failed"] == []
    assert "no worker is at it" in " ".join(capsys.readouterr().err.split())


def test_wait_ends_for_what_is_deleted_meanwhile(alice: User, holiday: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def purge(seconds: float) -> None:
        Work.objects.all().delete()
        Asset.objects.all().delete()

    monkeypatch.setattr("archive.patience.sleep", purge)
    outcome = run(holiday, wait=True)
    assert {one["error"] for one in outcome["failed"]} == {"It was deleted while it was being prepared."}

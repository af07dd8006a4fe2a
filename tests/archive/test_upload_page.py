"""Uploading in a browser: by script one file a request, by a plain form many."""

import errno
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from archive.incoming import incoming_folder
from archive.models import Asset, Collection, Role, Work
from archive.models.work import Priority
from archive.shelves import collection_named
from tests.cast import make_jpeg

JSON = {"Accept": "application/json"}


@pytest.fixture
def red(tmp_path: Path) -> SimpleUploadedFile:
    return SimpleUploadedFile("red.jpg", make_jpeg(tmp_path, "red.jpg", "red").read_bytes())


def send(client: Client, file: Any, **fields: str) -> Any:
    return client.post("/upload/", {"files": file, **fields}, headers=JSON)


def test_a_new_file_is_answered_with_its_asset(
    harbour: Collection, bob: User, client: Client, red: SimpleUploadedFile
) -> None:
    client.force_login(bob)
    answer = send(client, red, collection="harbour")
    asset = Asset.objects.get()
    assert (answer.status_code, answer.json()["asset"]) == (201, str(asset.uuid))
    assert (answer.json()["new"], answer.json()["status"]) == (True, "pending")
    assert (asset.filename, asset.uploader, asset.collection) == ("red.jpg", bob, harbour)
    assert Work.objects.get().priority == Priority.INTERACTIVE


def test_the_same_file_again_is_answered_with_the_asset_that_is_there(
    harbour: Collection, bob: User, client: Client, red: SimpleUploadedFile
) -> None:
    client.force_login(bob)
    first = send(client, red, collection="harbour").json()
    red.seek(0)
    second = send(client, red, collection="harbour")
    assert (second.status_code, second.json()["new"], second.json()["asset"]) == (200, False, first["asset"])


@pytest.mark.parametrize(
    ("content", "status", "code", "words"),
    [
        (b"hello, this is text", 415, "unsupported", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "unsupported", "SVG"),
        (b"FLV\1\5" + bytes(64), 415, "unsupported", "Convert it to MP4"),
        (b"", 400, "empty", "empty"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_a_reason(
    harbour: Collection, bob: User, client: Client, content: bytes, status: int, code: str, words: str
) -> None:
    client.force_login(bob)
    answer = send(client, SimpleUploadedFile("picture.jpg", content), collection="harbour")
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert words in answer.json()["error"]["message"]
    assert not Asset.objects.exists()


def test_a_file_over_the_limit_is_refused_and_leaves_nothing_behind(
    harbour: Collection, bob: User, client: Client, red: SimpleUploadedFile, settings: Any
) -> None:
    settings.SIGHTLINE_UPLOAD_LIMIT = 1000
    client.force_login(bob)
    answer = send(client, red, collection="harbour")
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert not list(incoming_folder().iterdir())


def test_a_refused_file_leaves_nothing_behind(harbour: Collection, bob: User, client: Client) -> None:
    client.force_login(bob)
    send(client, SimpleUploadedFile("notes.jpg", b"hello"), collection="harbour")
    assert not list(incoming_folder().iterdir())


def test_a_viewer_may_not_upload_and_does_not_learn_what_there_is(
    harbour: Collection, visitor: User, client: Client, red: SimpleUploadedFile
) -> None:
    client.force_login(visitor)
    known = send(client, red, collection="harbour")
    red.seek(0)
    unknown = send(client, red, collection="no-such-place")
    assert known.status_code == unknown.status_code == 400
    assert known.json() == unknown.json()
    assert not Asset.objects.exists()


def test_naming_a_new_collection_makes_it_mine(client: Client, bob: User, red: SimpleUploadedFile) -> None:
    client.force_login(bob)
    assert send(client, red, new="Bob's boats").status_code == 201
    made = Collection.objects.get()
    assert (made.name, made.slug, made.owner) == ("Bob's boats", "bobs-boats", bob)
    assert Collection.objects.open_to(bob, (Role.OWNER,)).get() == made


def test_many_files_that_name_the_same_new_collection_share_it(client: Client, bob: User, tmp_path: Path) -> None:
    client.force_login(bob)
    for colour in ("red", "green", "blue"):
        data = make_jpeg(tmp_path, f"{colour}.jpg", colour).read_bytes()
        send(client, SimpleUploadedFile(f"{colour}.jpg", data), new="Colours")
    assert Collection.objects.get().assets.count() == 3


def test_without_a_script_many_files_go_in_one_form(
    harbour: Collection, bob: User, client: Client, tmp_path: Path
) -> None:
    files = [
        SimpleUploadedFile(f"{colour}.jpg", make_jpeg(tmp_path, f"{colour}.jpg", colour).read_bytes())
        for colour in ("red", "blue")
    ]
    client.force_login(bob)
    bad = SimpleUploadedFile("bad.jpg", b"x")
    page = client.post("/upload/", {"files": [*files, bad], "collection": "harbour"}).content.decode()
    assert page.count("Added") == 2
    assert "Not taken" in page
    assert Asset.objects.count() == 2


def test_a_request_without_the_token_of_our_page_is_refused(
    harbour: Collection, bob: User, red: SimpleUploadedFile
) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(bob)
    assert send(strict, red, collection="harbour").status_code == 403
    assert not Asset.objects.exists()


def test_a_stranger_who_is_not_logged_in_leaves_nothing_on_the_disk(client: Client, red: SimpleUploadedFile) -> None:
    answer = send(client, red, new="x")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "signed_out"
    assert not list(incoming_folder().iterdir())


def test_states_are_told_only_of_what_one_may_see(
    harbour: Collection, bob: User, visitor: User, client: Client, red: SimpleUploadedFile
) -> None:
    client.force_login(bob)
    asset = send(client, red, collection="harbour").json()["asset"]
    told = client.get(f"/upload/status/?id={asset}&id=nonsense").json()["assets"]
    assert [state["status"] for state in told] == ["pending"]
    client.force_login(visitor)
    assert client.get(f"/upload/status/?id={asset}").json() == {"assets": []}


def test_the_states_of_many_cost_no_more_than_the_state_of_one(
    harbour: Collection, bob: User, client: Client, tmp_path: Path, django_assert_num_queries: Any
) -> None:
    client.force_login(bob)
    ids = []
    for n in range(6):
        data = make_jpeg(tmp_path, f"{n}.jpg", "red", (100 + n, 100)).read_bytes()
        ids.append(send(client, SimpleUploadedFile(f"{n}.jpg", data), collection="harbour").json()["asset"])
    with django_assert_num_queries(3):  # session, user, assets
        client.get("/upload/status/?" + "&".join(f"id={asset}" for asset in ids))


@pytest.mark.django_db(transaction=True)
def test_files_that_arrive_at_the_same_moment_share_the_new_collection(bob: User) -> None:
    together = threading.Barrier(4)

    def name_it(_: int) -> Collection:
        connection.ensure_connection()
        together.wait()
        try:
            return collection_named("Holiday", bob)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert len({made.pk for made in pool.map(name_it, range(4))}) == 1
    assert Collection.objects.get().slug == "holiday"


def test_a_disk_that_fails_at_the_last_byte_is_said_and_not_a_crash(
    harbour: Collection, bob: User, client: Client, red: SimpleUploadedFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("archive.incoming.sync", full)
    client.force_login(bob)
    answer = send(client, red, collection="harbour")
    assert (answer.status_code, answer.json()["error"]["code"]) == (507, "storage_full")
    assert not list(incoming_folder().glob("*.part"))


def test_a_zero_byte_in_the_address_is_no_crash(harbour: Collection, bob: User, client: Client) -> None:
    client.force_login(bob)
    assert client.get("/upload/?collection=har%00bour").status_code == 200

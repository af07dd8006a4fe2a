"""Uploads over HTTP: streamed into the store's own folder, refused in time, and gone when nobody takes them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from archive.incoming import incoming_folder, room_left
from archive.models import Asset, Collection, Membership, Role, Work, WorkState
from archive.wsgi import application
from tests import pictures

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_store(settings: Any, tmp_path: Path) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "archive.storage.DurableStorage",
            "OPTIONS": {"location": str(tmp_path / "media")},
        },
    }


@pytest.fixture
def browser(bob: User) -> Client:
    client = Client()
    client.force_login(bob)
    return client


def send(client: Client, collection: Collection, data: bytes, name: str = "a.jpg", **more: Any) -> Any:
    file = SimpleUploadedFile(name, data, "image/jpeg")
    headers = {"Accept": "application/json"}
    return client.post("/upload/", {"collection": collection.slug, "files": file, **more}, headers=headers)


def stored(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "media").rglob("*") if path.is_file()]


def test_the_first_upload_of_a_process_lies_beside_the_originals_already(tmp_path: Path) -> None:
    """On another file system it could not be renamed into its place."""
    assert incoming_folder() == tmp_path / "media" / "incoming"


def test_files_kept_elsewhere_come_in_through_the_data_folder(settings: Any) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    }
    assert type(storages["default"]).__name__ == "InMemoryStorage"
    assert incoming_folder() == settings.SIGHTLINE_DATA / "incoming"


def test_an_upload_is_taken_in_and_nothing_else_stays(browser: Client, harbour: Collection, tmp_path: Path) -> None:
    answer = send(browser, harbour, pictures.jpeg())
    assert answer.status_code == 201, answer.content
    asset = Asset.objects.get()
    assert (answer.json()["asset"], answer.json()["new"]) == (str(asset.uuid), True)
    assert [path.name for path in stored(tmp_path)] == [asset.sha256]
    again = send(browser, harbour, pictures.jpeg(), "again.jpg")
    assert (again.status_code, again.json()["asset"], again.json()["new"]) == (200, str(asset.uuid), False)
    assert [path.name for path in stored(tmp_path)] == [asset.sha256]


def test_a_file_over_the_limit_is_refused_with_a_sentence_and_leaves_nothing(
    browser: Client, harbour: Collection, tmp_path: Path, settings: Any
) -> None:
    settings.SIGHTLINE_UPLOAD_LIMIT = 2**20
    answer = send(browser, harbour, pictures.jpeg() + bytes(2**20))
    assert answer.status_code == 413
    assert answer.json()["error"] == {
        "code": "too_large",
        "message": "This file is larger than 1 MB, the most that is accepted here.",
        "fields": {},
    }
    assert stored(tmp_path) == []
    assert not Asset.objects.exists()


def test_a_full_disk_answers_507_and_leaves_nothing(
    browser: Client, harbour: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 1_000_000, "total": 10**9})
    monkeypatch.setattr("archive.incoming.shutil.disk_usage", lambda folder: usage)
    answer = send(browser, harbour, pictures.jpeg())
    assert (answer.status_code, answer.json()["error"]["code"]) == (507, "storage_full")
    assert stored(tmp_path) == []


@pytest.mark.parametrize(
    ("total", "kept"), [(20 * 2**30, 2**30), (1000 * 2**30, 2 * 2**30)], ids=["a small disk", "a large one"]
)
def test_twice_the_largest_picture_and_a_part_of_the_disk_stay_free(
    total: int, kept: int, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SIGHTLINE_UPLOAD_LIMIT = 1_000_000
    for more in (-1, 0, 5):
        usage = type("Usage", (), {"free": 2_000_000 + kept + more, "total": total})
        monkeypatch.setattr("archive.incoming.shutil.disk_usage", lambda folder, usage=usage: usage)
        assert room_left(tmp_path) == more


def test_behind_too_many_files_an_upload_is_told_when_to_come_back_and_a_few_pass(
    browser: Client, harbour: Collection, tmp_path: Path, settings: Any
) -> None:
    """Many files wait: more of them are refused, one that somebody looks on at goes before them anyway."""
    settings.SIGHTLINE_BACKLOG_LIMIT = 2
    for number in range(2):
        answer = send(browser, harbour, pictures.jpeg(pictures.distinct(number)), of="50")
        assert answer.status_code == 201
    refused = send(browser, harbour, pictures.jpeg(pictures.distinct(2)), of="50")
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "backlog")
    assert "Try again in some minutes" in refused.json()["error"]["message"]
    assert int(refused["Retry-After"]) > 0
    assert len(stored(tmp_path)) == 2
    assert send(browser, harbour, pictures.jpeg(pictures.distinct(3))).status_code == 201
    Work.objects.update(state=WorkState.DONE)
    assert send(browser, harbour, pictures.jpeg(pictures.distinct(2)), of="50").status_code == 201


def test_without_a_limit_any_number_may_wait(browser: Client, harbour: Collection, settings: Any) -> None:
    settings.SIGHTLINE_BACKLOG_LIMIT = 0
    for number in range(2):
        assert send(browser, harbour, pictures.jpeg(pictures.distinct(number)), of="50").status_code == 201


def test_nobody_fills_the_disk_without_logging_in(harbour: Collection, tmp_path: Path) -> None:
    answer = send(Client(), harbour, pictures.jpeg())
    assert answer.status_code == 401
    assert stored(tmp_path) == []
    assert not Asset.objects.exists()


def test_a_viewer_s_upload_is_refused_and_not_kept(visitor: User, harbour: Collection, tmp_path: Path) -> None:
    Membership.objects.create(collection=harbour, user=visitor, role=Role.VIEWER)
    client = Client()
    client.force_login(visitor)
    answer = send(client, harbour, pictures.jpeg())
    assert answer.status_code == 400
    assert stored(tmp_path) == []
    assert not Asset.objects.exists()


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", 415, "unsupported"),
        (b"MZ this is a program", 415, "unsupported"),
        (b"", 400, "empty"),
    ],
)
def test_what_is_no_picture_is_refused_and_not_kept(
    browser: Client, harbour: Collection, tmp_path: Path, data: bytes, status: int, code: str
) -> None:
    answer = send(browser, harbour, data, "picture.jpg")
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert stored(tmp_path) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("files", [1, 2])
@pytest.mark.parametrize("how", ["reset", "silence"])
def test_an_upload_that_breaks_off_leaves_nothing(
    browser: Client, harbour: Collection, tmp_path: Path, how: str, files: int
) -> None:
    """The body ends in the middle of the last file: servers raise, or answer reads with nothing."""
    boundary = "cut"
    body = f'--{boundary}\r\nContent-Disposition: form-data; name="collection"\r\n\r\n{harbour.slug}\r\n'.encode()
    for number in range(files):
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{number}.jpg"\r\n'
            "Content-Type: image/jpeg\r\n\r\n"
        )
        body += head.encode() + pictures.jpeg(pictures.distinct(number)) + b"\r\n"
    stream = Stream(body[:-5000], how)
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/upload/",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "HTTP_COOKIE": f"sessionid={browser.cookies['sessionid'].value}; csrftoken={'c' * 32}",
        "HTTP_X_CSRFTOKEN": "c" * 32,
        "CONTENT_TYPE": f"multipart/form-data; boundary={boundary}",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": stream,
        "wsgi.errors": sys.stderr,
    }
    answer = application(environ, lambda status, headers: None)  # nobody is there to read it
    answer.close()  # type: ignore[attr-defined]
    assert stream.left == b""
    assert stored(tmp_path) == []
    assert not Asset.objects.exists()


class Stream:
    """As a server's, of a client that goes away after `left`."""

    def __init__(self, left: bytes, how: str) -> None:
        self.left = left
        self.how = how

    def read(self, size: int) -> bytes:
        if not self.left and self.how == "reset":
            raise ConnectionResetError("the browser went away")
        piece, self.left = self.left[:size], self.left[size:]
        return piece


def test_a_hostile_file_name_is_kept_as_words(browser: Client, harbour: Collection, tmp_path: Path) -> None:
    send(browser, harbour, pictures.jpeg(), "..%2f..%2fetc%2fpasswd\u202egpj.exe")
    asset = Asset.objects.get()
    assert "/" not in asset.filename
    assert "\u202e" not in asset.filename
    assert [path.name for path in stored(tmp_path)] == [asset.sha256]

"""Uploads to the JSON API: what is kept, and what is refused with a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from archive.models import Asset, Collection, Space, Work
from tests import pictures
from tests.api import client_of, error_of, send
from workers.prepare import drain_prepare

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_upload_answers_201_and_the_same_bytes_again_200_with_the_same_asset(harbour: Collection, bob: User) -> None:
    client = client_of(bob)
    data = pictures.jpeg(pictures.distinct(1))
    first = send(client, data, title="A boat", caption="in the morning")
    assert first.status_code == 201
    made = first.json()
    assert (made["title"], made["caption"], made["status"]) == ("A boat", "in the morning", "pending")
    assert (made["collection"], made["uploader"], made["filename"]) == ("harbour", "bob", "boat.jpg")
    assert first.headers["Location"] == f"/api/v1/assets/{made['asset']}"
    again = send(client, data, title="Another title", name="copy.jpg")
    assert (again.status_code, again.json()["asset"], again.json()["title"]) == (200, made["asset"], "A boat")
    assert Asset.objects.count() == Work.objects.count() == 1


def test_words_sent_along_are_kept_although_the_file_brings_its_own(
    harbour: Collection, bob: User, fake_space: Space
) -> None:
    data = pictures.png_with_xmp(pictures.xmp("Title inside", "Caption inside"))
    made = send(client_of(bob), data, title="Title sent").json()
    drain_prepare()
    found = client_of(bob).get(f"/api/v1/assets/{made['asset']}").json()
    assert found["title"] == "Title sent"
    assert found["caption"] == "Caption inside"


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 400, "empty_file"),
        (b"just text, whatever the name says", 415, "unsupported_media"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "unsupported_media"),
    ],
)
def test_files_that_are_no_pictures_are_refused_with_a_reason(
    harbour: Collection, bob: User, media_root: Path, data: bytes, status: int, code: str
) -> None:
    answer = send(client_of(bob), data)
    assert (answer.status_code, error_of(answer)["code"]) == (status, code)
    assert not Asset.objects.exists()
    assert not list(media_root.glob("incoming/*.part"))


def test_a_file_over_the_limit_is_a_413(harbour: Collection, bob: User, settings: Any) -> None:
    settings.SIGHTLINE_UPLOAD_LIMIT = 1000
    answer = send(client_of(bob), pictures.jpeg(pictures.distinct(2)))
    assert (answer.status_code, error_of(answer)["code"]) == (413, "too_large")


def test_a_disk_that_is_almost_full_is_a_507(harbour: Collection, bob: User, settings: Any) -> None:
    settings.SIGHTLINE_UPLOAD_LIMIT = 2**60
    answer = send(client_of(bob), pictures.jpeg(pictures.distinct(2)))
    assert (answer.status_code, error_of(answer)["code"]) == (507, "storage_full")


def test_behind_too_many_files_an_upload_is_a_503_with_a_time_to_come_back(
    harbour: Collection, bob: User, settings: Any
) -> None:
    settings.SIGHTLINE_BACKLOG_LIMIT = 1
    assert send(client_of(bob), pictures.jpeg(pictures.distinct(2))).status_code == 201
    answer = send(client_of(bob), pictures.jpeg(pictures.distinct(3)))
    assert (answer.status_code, error_of(answer)["code"]) == (503, "backlog")
    assert int(answer.headers["Retry-After"]) > 0
    assert Asset.objects.count() == 1


def test_an_upload_says_all_that_is_missing_at_once(harbour: Collection, bob: User) -> None:
    answer = client_of(bob).post("/api/v1/assets", {"title": "x" * 301}, format="json")
    assert answer.status_code == 400
    assert set(error_of(answer)["fields"]) == {"file", "collection", "title"}


def test_nobody_uploads_where_they_may_not_and_learns_nothing_of_it(
    harbour: Collection, visitor: User, media_root: Path
) -> None:
    client = client_of(visitor)
    there = send(client, pictures.jpeg(pictures.distinct(3)))
    missing = send(client, pictures.jpeg(pictures.distinct(3)), collection="no-such")
    assert there.status_code == missing.status_code == 400
    assert error_of(there) == error_of(missing)
    assert not Asset.objects.exists()
    assert not list(media_root.glob("incoming/*.part"))


def test_strangers_fill_no_disk(harbour: Collection, media_root: Path) -> None:
    assert send(APIClient(), pictures.jpeg(pictures.distinct(4))).status_code == 401
    assert not list(media_root.glob("incoming/*.part"))

"""Bytes that somebody else has privately are taken in like any others: nobody learns that they were there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from archive.ingest import original_key
from archive.models import Asset, Collection, Status
from tests import pictures
from tests.cast import upload
from tests.prepared import add_renditions

pytestmark = pytest.mark.django_db
ALICES = pictures.jpeg(pictures.distinct(1))
NEW = pictures.jpeg(pictures.distinct(2))


@pytest.fixture
def browser(bob: User) -> Client:
    client = Client()
    client.force_login(bob)
    return client


@pytest.fixture
def alices(alice: User, harbour: Collection, tmp_path: Path) -> Asset:
    """In a collection that bob does not see, and ready."""
    private = Collection.objects.create(slug="private", name="Private", owner=alice)
    path = tmp_path / "secret name.jpg"
    path.write_bytes(ALICES)
    asset = upload(private, path, alice)
    add_renditions(asset)
    Asset.objects.filter(pk=asset.pk).update(status=Status.READY, width=320, height=240)
    return asset


def by_page(browser: Client, data: bytes) -> Any:
    file = SimpleUploadedFile("mine.jpg", data)
    return browser.post("/upload/", {"collection": "harbour", "files": file}, headers={"Accept": "application/json"})


def by_plain_form(browser: Client, data: bytes) -> Any:
    return browser.post("/upload/", {"collection": "harbour", "files": SimpleUploadedFile("mine.jpg", data)})


def by_api(browser: Client, data: bytes) -> Any:
    return browser.post("/api/v1/assets", {"collection": "harbour", "file": SimpleUploadedFile("mine.jpg", data)})


def blurred(answer: Any) -> tuple[int, dict[str, str], str]:
    """Without what names one upload: its id, its time, its hash and its size."""
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{64}", "ID", answer.content.decode())
    text = re.sub(r'"csrfmiddlewaretoken" value="\w+"|"(added_at":"[^"]+|size":\d+)', "", text)
    # The shape that stands for a picture until it is there is drawn by lot.
    text = re.sub(r'class="hit [^"]*"|"shape": *"[^"]*"', "", text)
    headers = {name: value for name, value in answer.headers.items() if name not in ("Content-Length", "Location")}
    return answer.status_code, headers, text


@pytest.mark.parametrize("way", [by_page, by_plain_form, by_api])
def test_bob_is_answered_as_for_new_bytes_and_by_the_same_statements(
    alices: Asset, browser: Client, way: Callable[[Client, bytes], Any]
) -> None:
    way(browser, pictures.jpeg(pictures.distinct(3)))  # whatever happens once happens here
    with CaptureQueriesContext(connection) as for_known:
        known = way(browser, ALICES)
    with CaptureQueriesContext(connection) as for_new:
        new = way(browser, NEW)
    assert blurred(known) == blurred(new)
    assert b"secret name" not in known.content
    assert shapes(for_known) == shapes(for_new)
    mine = Asset.objects.get(collection__slug="harbour", sha256=alices.sha256)
    assert mine.uuid != alices.uuid
    # Alice's renditions lie in the store under the same names; bob's asset has none of them yet.
    assert browser.get(mine.thumbnail_url).status_code == 404
    assert browser.get("/upload/status/", {"id": [str(mine.uuid), str(alices.uuid)]}).json()["assets"] == [
        {**browser.get("/upload/status/", {"id": str(mine.uuid)}).json()["assets"][0], "status": "pending"}
    ]


def shapes(asked: CaptureQueriesContext) -> list[str]:
    """Statements without their values."""
    return [re.sub(r"'[^']*'|\b\d+\b|\"s\d+_x\d+\"|_curs_\d+_sync_\d+", "?", query["sql"]) for query in asked]


def test_the_store_does_the_same_for_both(alices: Asset, browser: Client, media_root: Path) -> None:
    """The file is written again: a shorter answer would tell."""
    original = media_root / original_key(alices.sha256)
    before = original.stat().st_ino
    by_page(browser, ALICES)
    assert original.stat().st_ino != before
    assert original.read_bytes() == ALICES
    assert not list(media_root.glob("incoming/*.part"))


def test_a_damaged_original_is_whole_again_after_an_upload_of_the_same_bytes(
    alices: Asset, browser: Client, media_root: Path
) -> None:
    original = media_root / original_key(alices.sha256)
    original.write_bytes(b"x" * len(ALICES))
    by_page(browser, ALICES)
    assert original.read_bytes() == ALICES


def test_the_second_time_bob_is_told_of_his_own(alices: Asset, browser: Client) -> None:
    assert [by_api(browser, ALICES).status_code for _ in range(2)] == [201, 200]

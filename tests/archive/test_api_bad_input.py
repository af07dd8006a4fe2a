"""Whatever is sent to the JSON API, it answers in the one shape and never with a bare 500."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from rest_framework.test import APIClient

from archive.models import Collection
from tests import pictures
from tests.api import client_of, error_of, post_raw, send
from tests.cast import make_jpeg, upload

pytestmark = pytest.mark.django_db(transaction=True)
NUL_AND_MORE = ["\x00", "a\x00b", "x" * 10_000, "'; DROP TABLE archive_asset; --", "%00", "\ud7ff", "../../etc/passwd"]


@pytest.mark.parametrize("text", NUL_AND_MORE)
def test_no_text_anywhere_is_a_500(harbour: Collection, alice: User, tmp_path: Path, text: str) -> None:
    asset = upload(harbour, make_jpeg(tmp_path, "red.jpg", "red"), alice)
    client = client_of(alice)
    for name in ("collection", "kind", "status", "limit", "cursor", "format", "unknown"):
        answer = client.get("/api/v1/assets", {name: text})
        assert answer.status_code in (200, 400, 404), name
    answers = [
        client.patch(f"/api/v1/assets/{asset.uuid}", {"title": text, "caption": text}, format="json"),
        client.patch(f"/api/v1/assets/{asset.uuid}", {"collection": text}, format="json"),
        client.patch(f"/api/v1/assets/{asset.uuid}", {"trashed": text}, format="json"),
        client.post("/api/v1/collections", {"name": text, "slug": text, "visibility": text}, format="json"),
        client.post("/api/v1/collections", {"name": text, "description": text}, format="multipart"),
        send(client, pictures.jpeg(pictures.distinct(6)), title=text, collection=text, name=text or "x"),
        client.get(f"/api/v1/collections/{text}"),
        client.get(f"/api/v1/assets/{text}"),
    ]
    assert all(answer.status_code < 500 for answer in answers), [answer.status_code for answer in answers]


@pytest.mark.parametrize(
    "body", [b"{", b"[" * 100_000, b'"text"', b"[1]", b"null", b'{"name": "\\ud800"}', b"\xff\xfe", b"7" * 5000]
)
def test_a_broken_body_is_a_400_in_the_one_shape(alice: User, body: bytes) -> None:
    client = client_of(alice)
    for address in ("collections", "assets", "token", "search"):
        answer = post_raw(client, address, body, "application/json")
        assert answer.status_code in (400, 503), address
        error_of(answer)


def test_a_body_of_many_megabytes_is_a_413(alice: User) -> None:
    body = b'{"name": "' + b"x" * 2**21 + b'"}'
    answer = post_raw(client_of(alice), "collections", body, "application/json")
    assert (answer.status_code, error_of(answer)["code"]) == (413, "too_large")


def test_a_body_of_another_kind_is_a_415(alice: User) -> None:
    for kind in ("text/xml", "application/octet-stream", "image/jpeg", "nonsense"):
        answer = post_raw(client_of(alice), "assets", b"<a/>", kind)
        assert (answer.status_code, error_of(answer)["code"]) == (415, "unsupported_media_type")


def test_a_broken_form_is_a_400(alice: User) -> None:
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x"):
        answer = post_raw(client_of(alice), "assets", b"--y\r\nno form", kind)
        assert answer.status_code == 400
        error_of(answer)


def test_addresses_that_are_none_answer_in_json(alice: User) -> None:
    for client in (client_of(alice), APIClient()):
        for address in ("", "nothing", "nothing/", "assets/no-uuid", "a/b/c/", "%00", "assets//"):
            answer = client.get(f"/api/v1/{address}")
            if address != "assets//":
                assert (answer.status_code, error_of(answer)["code"]) == (404, "not_found"), address


def test_a_slash_at_the_end_changes_nothing_even_of_a_post(harbour: Collection, bob: User) -> None:
    client = client_of(bob)
    assert client.get("/api/v1/schema/").status_code == 200
    assert client.post("/api/v1/collections/", {"name": "Slash"}, format="json").status_code == 201
    file = SimpleUploadedFile("boat.jpg", pictures.jpeg(pictures.distinct(7)))
    made = client.post("/api/v1/assets/", {"file": file, "collection": "harbour"}, format="multipart")
    assert made.status_code == 201
    assert client.get(f"/api/v1/assets/{made.json()['asset']}/").status_code == 200


def test_head_options_and_wrong_methods_are_answered(harbour: Collection, alice: User, tmp_path: Path) -> None:
    asset = upload(harbour, make_jpeg(tmp_path, "red.jpg", "red"), alice)
    client = client_of(alice)
    addresses = (
        "assets",
        f"assets/{asset.uuid}",
        f"assets/{asset.uuid}/original",
        "collections",
        "collections/harbour",
    )
    for address in (*addresses, "search", "schema"):
        assert client.head(f"/api/v1/{address}").status_code == 200, address
        assert client.options(f"/api/v1/{address}").status_code == 200, address
        answer = client.put(f"/api/v1/{address}", {}, format="json")
        assert (answer.status_code, error_of(answer)["code"]) == (405, "method_not_allowed"), address


def test_even_what_nobody_expected_is_told_in_the_one_shape(bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def raise_(error: Exception) -> Any:
        raise error

    client = client_of(bob)
    client.raise_request_exception = False
    monkeypatch.setattr("archive.api.collections._rights", lambda user: raise_(RuntimeError("secret detail")))
    broken = client.get("/api/v1/collections")
    assert (broken.status_code, error_of(broken)["code"]) == (500, "server_error")
    assert "secret" not in broken.content.decode()
    # Before any view, where the framework of the API does not reach.
    monkeypatch.setattr("django_htmx.middleware.HtmxMiddleware.__call__", lambda *_: raise_(OperationalError("away")))
    away = client.get("/api/v1/collections")
    assert (away.status_code, error_of(away)["code"], away.headers["Retry-After"]) == (503, "database_unavailable", "5")

"""What every page has in common: the log-in, the policy, and honest errors."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client
from redis import Redis

from archive import signs
from archive.models import Collection, Space
from tests.cast import PASSWORD


@pytest.mark.django_db
def test_a_fragment_asked_for_after_the_session_ended_leads_to_the_log_in(client: Client) -> None:
    answer = client.get("/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (204, "/login/")


def test_logging_in_leads_to_where_one_wanted_to_go(bob: User, client: Client) -> None:
    answer = client.post("/login/", {"username": "bob", "password": PASSWORD, "next": "/collections/"})
    assert answer["Location"] == "/collections/"


def test_logging_in_never_leads_to_another_host(bob: User, client: Client) -> None:
    answer = client.post("/login/", {"username": "bob", "password": PASSWORD, "next": "https://example.org/"})
    assert answer["Location"] == "/"


def test_a_wrong_password_is_said_kindly(bob: User, client: Client) -> None:
    page = client.post("/login/", {"username": "bob", "password": "wrong"}).content.decode()
    assert "do not match" in page


def test_ten_wrong_passwords_lock_that_name_and_no_other(bob: User, visitor: User, client: Client) -> None:
    for _ in range(10):
        locked = client.post("/login/", {"username": "bob", "password": "wrong"})
    assert locked.status_code == 429
    assert "Locked for a while" in locked.content.decode()
    assert client.post("/login/", {"username": "bob", "password": PASSWORD}).status_code == 429
    assert client.post("/login/", {"username": "visitor", "password": PASSWORD}).status_code == 302


def test_logging_out_takes_a_post(bob: User, client: Client) -> None:
    client.force_login(bob)
    assert client.get("/logout/").status_code == 405
    client.post("/logout/")
    assert client.get("/").status_code == 302


def test_pages_come_with_the_strict_policy(harbour: Collection, bob: User, client: Client) -> None:
    client.force_login(bob)
    for address in ("/", "/upload/", "/collections/", "/collections/harbour/", "/trash/", "/help/models/", "/nowhere/"):
        policy = client.get(address)["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


def test_an_address_without_a_page_says_so_in_our_words(bob: User, client: Client) -> None:
    client.force_login(bob)
    answer = client.get("/nowhere/")
    assert answer.status_code == 404
    assert "nothing at this address" in answer.content.decode()


def test_healthz_is_public_and_names_the_parts(db: None, client: Client) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"ok": True, "database": True, "redis": True, "workers": True, "queries": True}


def test_healthz_says_whether_the_model_of_the_searched_space_is_loaded(
    fake_space: Space, client: Client, settings: Any
) -> None:
    redis = Redis.from_url(settings.REDIS_URL)
    signs.mark_started(redis)
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["queries"]) == (200, False)
    signs.mark_ready(redis, fake_space.fingerprint)
    assert client.get("/healthz").json()["queries"] is True


def test_without_redis_the_archive_is_still_healthy(db: None, client: Client, settings: Any) -> None:
    nowhere = {**settings.CACHES["default"], "LOCATION": "unix:///nonexistent/valkey.sock"}
    settings.CACHES = {"default": nowhere}
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["ok"], answer.json()["redis"]) == (200, True, False)


def test_without_postgres_it_is_not(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> bool:
        raise OperationalError("connection refused")

    monkeypatch.setattr("archive.views.health._work_moves", away)
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["ok"], answer.json()["database"]) == (503, False, False)


def test_the_error_pages_need_neither_a_session_nor_a_database(client: Client) -> None:
    from django.template.loader import render_to_string

    assert "Something broke" in render_to_string("500.html")
    assert "Back in a moment" in render_to_string("503.html")


def test_without_postgres_an_upload_is_told_to_come_back(
    bob: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who uploads is asked while the body is read, before any view."""

    def away(*given: Any) -> Any:
        raise OperationalError("connection refused")

    client.force_login(bob)
    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", away)
    client.raise_request_exception = False
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    strict.cookies = client.cookies
    strict.cookies["csrftoken"] = "a" * 32
    for asker in (client, strict):
        answer = asker.post("/upload/", {"files": SimpleUploadedFile("a.jpg", b"x")})
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")

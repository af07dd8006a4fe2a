"""What every page has in common: the log-in, the policy, and honest errors."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from archive.models import Collection
from tests.cast import PASSWORD

PUBLIC = {"login", "logout", "healthz"}
EXAMPLES = {
    "asset": "00000000-0000-4000-8000-000000000000",
    "spec": "thumbnail",
    "slug": "x",
    "member": "1",
    "key": "k",
    "decision": "1",
}


def pages() -> list[tuple[str, str]]:
    """Name and an example address of each of our own pages."""
    found = []
    for entry in get_resolver().url_patterns:
        inner = entry.url_patterns if isinstance(entry, URLResolver) and not str(entry.pattern) else [entry]
        for pattern in inner:
            if isinstance(pattern, URLPattern):
                address = "/" + str(pattern.pattern)
                for name, example in EXAMPLES.items():
                    for kind in ("uuid", "slug", "str", "int"):
                        address = address.replace(f"<{kind}:{name}>", example)
                found.append((pattern.name or "", address))
    return found


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "address"), pages())
def test_nothing_but_the_log_in_and_the_health_answers_strangers(client: Client, name: str, address: str) -> None:
    for answer in (client.get(address), client.post(address)):
        if name not in PUBLIC:
            assert answer.status_code == 302
            assert answer["Location"].startswith("/login/?next=")


def test_all_pages_are_looked_at() -> None:
    assert {"search", "asset", "original", "rendition", "upload", "collections", "trash"} <= {n for n, _ in pages()}


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
    assert answer.json() == {"ok": True, "database": True, "redis": True, "workers": True}


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

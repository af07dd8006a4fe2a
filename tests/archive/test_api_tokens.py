"""Tokens of the JSON API: given for a name and a password, ended, and what opens nothing."""

from __future__ import annotations

import uuid

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from archive.models import Collection
from tests.api import error_of
from tests.cast import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_name_and_a_password_give_a_token_that_opens_the_api(bob: User) -> None:
    client = APIClient()
    answer = client.post("/api/v1/token", {"username": "bob", "password": PASSWORD}, format="json")
    assert answer.status_code == 200
    client.credentials(HTTP_AUTHORIZATION=f"Token {answer.json()['token']}")
    assert client.get("/api/v1/assets").status_code == 200
    assert client.delete("/api/v1/token").status_code == 204
    assert client.get("/api/v1/assets").status_code == 401


def test_a_new_log_in_works_although_an_ended_token_is_sent_along(bob: User) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Token ended")
    answer = client.post("/api/v1/token", {"username": "bob", "password": PASSWORD})
    assert answer.status_code == 200


def test_wrong_passwords_are_refused_counted_and_locked_out(bob: User) -> None:
    client = APIClient()
    wrong = {"username": "bob", "password": "wrong"}
    first = client.post("/api/v1/token", wrong, format="json")
    assert (first.status_code, error_of(first)["code"]) == (401, "wrong_log_in")
    for _ in range(settings.AXES_FAILURE_LIMIT):
        last = client.post("/api/v1/token", wrong, format="json")
    assert (last.status_code, error_of(last)["code"]) == (429, "locked")
    assert int(last.headers["Retry-After"]) > 0
    right = client.post("/api/v1/token", {"username": "bob", "password": PASSWORD}, format="json")
    assert right.status_code == 429


@pytest.mark.parametrize("username", ["\x00", "x" * 10_000, "", "nobody"])
def test_no_name_breaks_the_log_in(username: str, bob: User) -> None:
    answer = APIClient().post("/api/v1/token", {"username": username, "password": "x" * 900}, format="json")
    assert answer.status_code in (400, 401)
    error_of(answer)


def test_without_a_token_nothing_opens(db: None) -> None:
    for address in ("assets", f"assets/{uuid.uuid4()}", "collections", "collections/harbour", "search"):
        answer = APIClient().get(f"/api/v1/{address}")
        assert (answer.status_code, error_of(answer)["code"]) == (401, "not_authenticated"), address
        assert answer.headers["WWW-Authenticate"] == "Token"


def test_a_logged_in_browser_needs_its_csrf_token_to_write(bob: User, harbour: Collection) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(bob)
    assert client.get("/api/v1/assets").status_code == 200
    answer = client.post("/api/v1/collections", {"name": "Mine"})
    assert (answer.status_code, error_of(answer)["code"]) == (403, "permission_denied")
    assert not Collection.objects.filter(name="Mine").exists()

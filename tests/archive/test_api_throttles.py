"""How often one may ask the JSON API."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from redis.exceptions import ConnectionError as NoRedis
from rest_framework.test import APIClient

from archive.api import throttles
from archive.api.assets import AssetsView
from archive.api.throttles import PersonThrottle
from tests.api import client_of, error_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def two_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AssetsView, "throttle_classes", [PersonThrottle])
    monkeypatch.setattr(PersonThrottle, "THROTTLE_RATES", {"api": "2/min", "upload": "1/min"})


def test_each_person_is_throttled_alone(two_a_minute: None, alice: User, bob: User) -> None:
    assert [client_of(bob).get("/api/v1/assets").status_code for _ in range(2)] == [200, 200]
    late = client_of(bob).get("/api/v1/assets")
    assert (late.status_code, error_of(late)["code"]) == (429, "throttled")
    assert int(late.headers["Retry-After"]) > 0
    assert client_of(alice).get("/api/v1/assets").status_code == 200
    assert client_of(bob).post("/api/v1/assets").status_code == 400  # uploads have a rate of their own


def test_log_ins_and_searches_have_rates_of_their_own(bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PersonThrottle, "THROTTLE_RATES", {"api": "1/min", "search": "2/min", "log_in": "3/min"})
    stranger, client = APIClient(), client_of(bob)
    log_ins = [stranger.post("/api/v1/token", {"username": "nobody", "password": "x"}) for _ in range(4)]
    assert [answer.status_code for answer in log_ins] == [401, 401, 401, 429]
    assert error_of(log_ins[-1])["code"] == "throttled"
    assert [client.get("/api/v1/search").status_code for _ in range(3)] == [200, 200, 429]
    assert [client.get("/api/v1/collections").status_code for _ in range(2)] == [200, 429]


def test_without_redis_the_api_still_answers_and_still_counts(
    two_a_minute: None, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone:
        def get(self, *args: Any) -> Any:
            raise NoRedis

    monkeypatch.setattr(PersonThrottle, "cache", Gone())
    throttles._here.clear()
    assert [client_of(bob).get("/api/v1/assets").status_code for _ in range(3)] == [200, 200, 429]

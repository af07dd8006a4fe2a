"""New questions are counted for whoever asks, in buckets that fill up again."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.conf import settings as configured
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.test import RequestFactory

from archive import quick_redis
from archive.allowance import AskedTooOften, address_of, asking, count_question, take


def asked_by(user: Any, address: str = "192.0.2.1", **headers: str) -> HttpRequest:
    request = RequestFactory(headers=headers).get("/", REMOTE_ADDR=address)
    request.user = user
    return request


def answered(request: HttpRequest, times: int) -> int:
    """How many of so many questions are let through."""
    let = 0
    with asking(request):
        for _ in range(times):
            try:
                count_question()
            except AskedTooOften:
                continue
            let += 1
    return let


@pytest.mark.django_db
def test_a_person_has_a_minutes_worth_at_hand_wherever_they_ask_from(settings: Any, alice: User, bob: User) -> None:
    settings.SIGHTLINE_QUESTION_LIMIT = 3
    assert answered(asked_by(bob), 5) == 3
    assert answered(asked_by(bob, "192.0.2.77"), 5) == 0
    assert answered(asked_by(alice), 5) == 3


def test_an_address_has_ten_times_as_much_and_whoever_is_nobody_has_only_that(settings: Any) -> None:
    settings.SIGHTLINE_QUESTION_LIMIT = 1
    assert answered(asked_by(AnonymousUser()), 20) == 10
    assert answered(asked_by(AnonymousUser(), "192.0.2.2"), 1) == 1


@pytest.mark.django_db
def test_what_the_address_refuses_is_not_taken_from_the_person(settings: Any, bob: User) -> None:
    settings.SIGHTLINE_QUESTION_LIMIT = 2
    assert answered(asked_by(AnonymousUser()), 25) == 20
    assert answered(asked_by(bob), 3) == 0
    assert answered(asked_by(bob, "192.0.2.2"), 3) == 2


def test_a_bucket_fills_up_again_evenly_and_says_how_long_it_takes() -> None:
    assert [take({"a": 4}, 2.0) for _ in range(4)] == [0.0] * 4
    wait = take({"a": 4}, 2.0)
    assert 0 < wait <= 0.5
    time.sleep(wait + 0.05)
    assert take({"a": 4}, 2.0) == 0.0
    time.sleep(3)  # it holds no more than it can
    assert [take({"a": 4}, 2.0) == 0.0 for _ in range(10)].count(True) in (4, 5, 6)


def test_commands_and_workers_are_not_counted_and_nobody_is_with_a_limit_of_zero(settings: Any) -> None:
    settings.SIGHTLINE_QUESTION_LIMIT = 1
    for _ in range(30):
        count_question()
    settings.SIGHTLINE_QUESTION_LIMIT = 0
    assert answered(asked_by(AnonymousUser()), 30) == 30


def test_without_redis_nothing_is_counted(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(quick_redis, "_redis", None)
    start = time.monotonic()
    assert [take({"a": 1}) for _ in range(3)] == [0.0] * 3
    assert time.monotonic() - start < 3  # nobody waits for a count


@pytest.mark.parametrize(
    ("proxies", "told", "address"),
    [
        (0, "203.0.113.9", "192.0.2.1"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9", "198.51.100.1"),
        (2, "203.0.113.9", "203.0.113.9"),
        (1, "", "192.0.2.1"),
    ],
)
def test_a_visitors_address_is_what_the_proxies_say_and_not_the_visitor(
    settings: Any, proxies: int, told: str, address: str
) -> None:
    settings.REST_FRAMEWORK = {**configured.REST_FRAMEWORK, "NUM_PROXIES": proxies}
    headers = {"X-Forwarded-For": told} if told else {}
    assert address_of(asked_by(AnonymousUser(), **headers)) == address

"""What the queries worker answers when it cannot: at once, with a sentence."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from archive.models import Space
from workers import client, queries
from workers.encoders import load
from workers.encoders.fake import FakeEncoder
from workers.encoders.load import encoder_of
from workers.encoders.protocol import NotNow, OutOfMemory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("queries_in_process")]


@pytest.fixture(autouse=True)
def _patient(settings: Any) -> Iterator[None]:
    settings.SIGHTLINE_QUERY_TIMEOUT = settings.SIGHTLINE_QUERY_PATIENCE = 5.0
    queries._spaces.clear()
    load._held.clear()
    yield
    load._not_now.clear()
    load._held.clear()


def failing(error: Exception) -> Any:
    def fail(*args: Any) -> None:
        raise error

    return fail


def test_a_full_device_is_said_at_once(
    fake_space: Space, bob: User, client_of_bob: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeEncoder, "encode_texts", failing(OutOfMemory("There is no room.")))
    load._held[fake_space.pk] = FakeEncoder()
    begun = time.monotonic()
    with pytest.raises(client.EncoderBusy, match=r"There is no room\."):
        client.encode_text(fake_space, "a red boat")
    page = client_of_bob.get("/", {"q": "a red boat"})
    assert time.monotonic() - begun < 2.5
    assert "has no room for its model at the moment; try again soon" in page.content.decode()
    assert page.status_code == 503
    monkeypatch.undo()


def test_so_is_one_that_cannot_hold_the_model(fake_space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "open_encoder_of", failing(OutOfMemory("There is no room.")))
    with pytest.raises(client.EncoderBusy):
        client.encode_text(fake_space, "a red boat")
    queries.warm_up()  # says it in the log, and ends
    with pytest.raises(NotNow):
        encoder_of(fake_space)


def test_so_is_what_nobody_expected(fake_space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    load._held[fake_space.pk] = FakeEncoder()
    monkeypatch.setattr(FakeEncoder, "encode_texts", failing(RuntimeError("driver lost")))
    begun = time.monotonic()
    with pytest.raises(client.EncoderUnavailable, match=r"unexpected happened \(RuntimeError\)") as said:
        client.encode_text(fake_space, "a red boat")
    assert not isinstance(said.value, client.EncoderBusy)
    assert time.monotonic() - begun < 2.5


@pytest.fixture
def client_of_bob(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client

"""Fixtures that several modules of tests share: who has asked to be told, what is called, and the drawn scenes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from archive.models import Alert, Collection, Space
from search.alerts import switch_on
from search.query import Query
from search.saved import save_search
from tests.prepared import make_encoded
from tests.search.house import House
from tests.search.receiver import Receiver
from tests.search.scenes import shown

LOOPBACK = ["127.0.0.0/8"]


@pytest.fixture
def photos(harbour: Collection, bob: User) -> Alert:
    """Bob wants to know of every photo in the harbour."""
    return switch_on(save_search(Query(kind="photo", collection="harbour"), "photos", bob), bob)


@pytest.fixture
def mailed(settings: Any, bob: User) -> User:
    """Bob with an address, in an archive that sends e-mail (pytest-django keeps it in a list)."""
    settings.SIGHTLINE_URL = "https://archive.example.org"
    bob.email = "bob@example.org"
    bob.save()
    return bob


@pytest.fixture
def alert(harbour: Collection, fake_space: Space, bob: User) -> Alert:
    return switch_on(save_search(Query(text="red <boat>"), "Red\u2028boats <b>", bob, harbour), bob)


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.SIGHTLINE_HOOK_NETWORKS = LOOPBACK
    settings.SIGHTLINE_URL = "https://archive.example.org"
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def house(drawn_space: Space, harbour: Collection, alice: User, client: Client, queries_in_process: None) -> House:
    client.force_login(alice)
    return House(make_encoded(harbour, drawn_space, shown().rows), client, drawn_space)

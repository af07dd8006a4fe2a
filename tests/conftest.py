"""Fixtures for all rooms. The database, Redis and the files are real; only the model is small."""

from __future__ import annotations

from tests import environment  # isort: skip  (first: starts the services and sets up Django)

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache

from archive import dispatch, quick_redis
from archive.models import Collection, Space
from archive.spaces import activate
from tests.cast import make_curator, make_harbour, make_user
from tests.emptying import empty_quickly
from workers import queries
from workers.spaces import make_space

empty_quickly()
# A machine that stands still for a moment is no Redis that is away: questions would go uncounted.
quick_redis.SECONDS = 10.0


def pytest_unconfigure() -> None:
    environment.services.close()


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def _plain_static(settings: Any) -> None:
    """Pages are rendered without `collectstatic`."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["tests.cast.QuickHasher"]


@pytest.fixture
def alice(db: None) -> User:
    return make_user("alice", curator=True)


@pytest.fixture
def bob(db: None) -> User:
    return make_user("bob")


@pytest.fixture
def visitor(db: None) -> User:
    return make_user("visitor")


@pytest.fixture
def harbour(alice: User, bob: User) -> Collection:
    return make_harbour(alice, bob)


@pytest.fixture
def carol(harbour: Collection) -> User:
    """Curates the harbour, nothing else."""
    return make_curator("carol", harbour)


@pytest.fixture
def fake_space(db: None) -> Space:
    """The searched space, of the deterministic encoder without meaning."""
    space = make_space("fake", "fake")
    activate(space, even_if_partial=True)
    return space


@pytest.fixture
def drawn_space(db: None) -> Space:
    """The searched space, of the small real model that knows drawings."""
    space = make_space("drawn-scenes", "shipped:drawn-scenes")
    activate(space, even_if_partial=True)
    return space


@pytest.fixture
def queries_in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Questions to the queries worker are answered at once, here, over the real Redis."""
    send = dispatch._send

    def answer_or_send(name: str, *args: Any, expires: float) -> None:
        if name == dispatch.ANSWER_QUERY:
            queries.answer(*args)
        else:
            send(name, *args, expires=expires)

    monkeypatch.setattr(dispatch, "_send", answer_or_send)


@pytest.fixture
def media_root() -> Path:
    return Path(settings.MEDIA_ROOT)

"""Boats to act on, a second collection, which carol does not curate, and chunks that are small."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from archive.deeds.deed import Deed
from archive.models import Asset, Collection
from tests.workers.batches.orders import make_assets


@pytest.fixture
def boats(harbour: Collection) -> list[Asset]:
    return make_assets(harbour, 5)


@pytest.fixture
def attic(alice: User) -> Collection:
    return Collection.objects.create(slug="attic", name="Attic", owner=alice)


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Deed, "chunk", 2)

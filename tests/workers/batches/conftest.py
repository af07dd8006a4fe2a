"""Boats to act on, a second collection, and carol, who curates one of the two."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from archive.deeds.deed import Deed
from archive.models import Asset, Collection, Membership, Role
from tests.cast import make_user
from tests.workers.batches.orders import make_assets


@pytest.fixture
def boats(harbour: Collection) -> list[Asset]:
    return make_assets(harbour, 5)


@pytest.fixture
def attic(alice: User) -> Collection:
    return Collection.objects.create(slug="attic", name="Attic", owner=alice)


@pytest.fixture
def carol(harbour: Collection) -> User:
    """Curates the harbour, nothing else."""
    carol = make_user("carol")
    Membership.objects.create(collection=harbour, user=carol, role=Role.CURATOR)
    return carol


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Deed, "chunk", 2)

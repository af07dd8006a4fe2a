"""Five pictures on the sheet, a second collection, and dora, who is on the staff."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from archive.models import Asset, Collection, Space
from tests.cast import make_user
from tests.search.contact_sheet.sheet import make_pictures


@pytest.fixture
def dora(db: None) -> User:
    """On the staff, no superuser: what she may do stands in her collections."""
    user = make_user("dora")
    user.is_staff = True
    user.save()
    return user


@pytest.fixture
def pictures(harbour: Collection, fake_space: Space) -> list[Asset]:
    """Five pictures, read and encoded."""
    return make_pictures(harbour, fake_space)


@pytest.fixture
def attic(alice: User) -> Collection:
    return Collection.objects.create(slug="attic", name="Attic", owner=alice)

"""A flag that hides an asset of the harbour, and a second curator beside carol who may decide it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from archive.models import Asset, Collection, Concept, ConceptKind, Flag, Policy, Space
from archive.moderation.flagging import Doubt, raise_flags
from tests.cast import make_curator
from tests.prepared import make_encoded, random_rows


@pytest.fixture
def weapon(db: None) -> Concept:
    return Concept.objects.create(slug="weapon", name="weapon", kind=ConceptKind.PROHIBITED)


@pytest.fixture
def policy(weapon: Concept) -> Policy:
    return Policy.objects.create(concept=weapon, is_on=True)


@pytest.fixture
def asset(harbour: Collection, bob: User, fake_space: Space) -> Asset:
    (made,) = make_encoded(harbour, fake_space, random_rows(1))
    Asset.objects.filter(pk=made.pk).update(uploader=bob)
    return made


@pytest.fixture
def flag(asset: Asset, weapon: Concept, policy: Policy, fake_space: Space) -> Flag:
    """Hidden at once, and not decided yet."""
    raise_flags(fake_space, [Doubt(asset.pk, weapon.pk, 4.2, hides=True)])
    return Flag.objects.get()


@pytest.fixture
def dave(harbour: Collection) -> User:
    return make_curator("dave", harbour)

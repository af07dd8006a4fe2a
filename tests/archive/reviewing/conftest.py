"""A flag that hides an asset of the harbour, and two curators who may decide it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from archive.models import Asset, Collection, Concept, ConceptKind, Flag, Membership, Policy, Role, Space
from archive.moderation.flagging import Doubt, raise_flags
from tests.cast import make_user
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
def carol(harbour: Collection) -> User:
    carol = make_user("carol")
    Membership.objects.create(collection=harbour, user=carol, role=Role.CURATOR)
    return carol


@pytest.fixture
def dave(harbour: Collection) -> User:
    dave = make_user("dave")
    Membership.objects.create(collection=harbour, user=dave, role=Role.CURATOR)
    return dave

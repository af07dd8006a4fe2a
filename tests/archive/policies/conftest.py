"""The archive that policies look at."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from archive.concepts.vectors import store_concepts
from archive.concepts.words import every_text
from archive.models import Collection, Concept, ConceptKind, Policy, Space
from tests.archive.policies.scene import Scene
from tests.prepared import make_encoded, random_rows
from workers.encoders.fake import FakeEncoder


@pytest.fixture
def scene(fake_space: Space, harbour: Collection, alice: User) -> Scene:
    assets = make_encoded(harbour, fake_space, random_rows(60))
    weapon = Concept.objects.create(slug="weapon", name="weapon", kind=ConceptKind.PROHIBITED)
    texts = every_text([weapon])
    store_concepts(fake_space, [weapon], dict(zip(texts, FakeEncoder().encode_texts(texts), strict=True)))
    policy = Policy.objects.create(concept=weapon)
    return Scene(fake_space, harbour, weapon, policy, assets, alice)

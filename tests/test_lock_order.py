"""Locks are taken in one order: the vocabulary, then assets by their ids, then the policies."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from archive.batch_work import work_on_next
from archive.batches import make_batch, read_order
from archive.concepts.heeding import heed
from archive.concepts.vectors import find_concept_vectors
from archive.models import Asset, Collection, Concept, Policy, Space
from archive.moderation.policies import lines_on, switch_on
from archive.moving import move
from archive.noticing import notice
from archive.tags import get_concepts
from archive.vectors import read_vectors
from tests.archive.policies.conftest import scene
from tests.archive.policies.scene import Scene
from tests.prepared import make_encoded, random_rows
from tests.search.contact_sheet.sheet import EMPTY_TABLES

__all__ = ["scene"]  # a fixture

pytestmark = pytest.mark.django_db
VOCABULARY, POLICIES = "the vocabulary", "the policies"
KEYS = {"2": VOCABULARY, "3": POLICIES}


def locks(act: Callable[[], object]) -> list[str | set[int]]:
    """What it locks: a name, or the ids of assets that it holds or writes."""
    with CaptureQueriesContext(connection) as asked, transaction.atomic():
        act()
    found: list[str | set[int]] = []
    for statement in (query["sql"] for query in asked):
        if key := re.search(r"pg_advisory_xact_lock(?:_shared)?\((\d+), 0\)", statement):
            found.append(KEYS[key[1]])
        elif re.search(r"archive_asset.*FOR (NO KEY )?UPDATE|UPDATE .?archive_asset", statement, re.DOTALL):
            named = re.search(r"ANY\('\{([\d,]*)\}'", statement)
            found.append({int(one) for one in named[1].split(",") if one} if named else set())
    return found


def order(act: Callable[[], object]) -> list[str]:
    """The same, each once, by its first time."""
    return list(dict.fromkeys(one if isinstance(one, str) else "assets" for one in locks(act)))


def test_whoever_stores_holds_all_assets_before_anything_looks(scene: Scene) -> None:
    """One picture of five is doubted and none has to be hidden; the five are settled at the end."""
    scene.line(3.0)
    Policy.objects.update(is_on=True)
    rows = random_rows(5, seed=3)
    rows[3] = scene.vector()
    new = [asset.pk for asset in make_encoded(scene.harbour, scene.space, rows, prefix="new")]
    taken = locks(lambda: notice(scene.space, read_vectors(scene.space, new)))
    assert taken[0] == set(new)
    assert POLICIES in taken


def test_a_walk_and_a_move_take_turns_in_the_same_order(scene: Scene) -> None:
    attic = Collection.objects.create(slug="attic", name="Attic", owner=scene.alice)
    scene.line(3.0)
    Policy.objects.update(is_on=True)
    rows, concepts = (
        read_vectors(scene.space, [asset.pk for asset in scene.assets]),
        find_concept_vectors(scene.space, [scene.concept]),
    )
    assert order(lambda: heed(scene.space, rows, concepts, whole=True)) == ["assets", POLICIES]
    assert order(lambda: move(Asset.objects.filter(pk=scene.assets[0].pk), attic)) == ["assets", POLICIES]


def test_policies_and_the_vocabulary_are_not_one_lock(fake_space: Space, scene: Scene) -> None:
    assert order(lambda: get_concepts(["new"], None)) == [VOCABULARY]
    assert order(lambda: lines_on(fake_space)) == [POLICIES]
    assert order(lambda: switch_on(scene.policy, scene.alice)) == [POLICIES]


def test_a_batch_makes_its_tags_before_it_holds_assets(scene: Scene) -> None:
    wanted = read_order("tag", {"tags": ["new"]}, scene.alice, "these", {})
    make_batch(wanted, scene.alice, Asset.objects.filter(pk__in=[asset.pk for asset in scene.assets[:3]]))
    assert order(work_on_next) == [VOCABULARY, "assets"]


def test_the_form_of_an_asset_makes_its_tags_before_it_writes_the_asset(scene: Scene, client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    asset = scene.assets[0]
    page = reverse("admin:archive_asset_change", args=[asset.pk])
    data = {"title": "Another", "collection": "Harbour", "tag_names": "new", **EMPTY_TABLES}
    taken = order(lambda: client.post(page, data))
    asset.refresh_from_db()
    assert (asset.title, Concept.objects.filter(name="new").exists()) == ("Another", True)
    assert taken == [VOCABULARY, "assets"]

"""Acting on all that a query finds, while others go on working: what is acted on is what is found then."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from archive.models import Asset, Batch, Collection, Space, Tag
from archive.tags import add_tags
from search.acting import choose_all
from search.facets import count_facets
from search.query import Query
from tests.api import client_of
from tests.prepared import make_encoded, random_rows
from workers.batches import drain_batches
from workers.client import Encoded, remember_text

pytestmark = pytest.mark.django_db


@pytest.fixture
def rejects(harbour: Collection, carol: User, fake_space: Space) -> list[Asset]:
    """Three of seven pictures, tagged "reject"."""
    boats = make_encoded(harbour, fake_space, random_rows(7), prefix="boat")
    remember_text(fake_space, "boat", Encoded(random_rows(7)[0]))
    add_tags(Asset.objects.filter(pk__in=[boat.pk for boat in boats[:3]]), ["reject"], carol)
    return boats[:3]


@pytest.fixture
def come_later(harbour: Collection, carol: User, fake_space: Space) -> Any:
    """Has one more come, tagged so too."""

    def come() -> Asset:
        (later,) = make_encoded(harbour, fake_space, random_rows(1), prefix="boat-later")
        add_tags(Asset.objects.filter(pk=later.pk), ["reject"], carol)
        return later

    return come


def take_tag_off(asset: Asset) -> None:
    Tag.objects.filter(asset=asset).update(state="rejected")


ADDRESS = "/act/?q=boat&tag=reject"


def trash_all(client: Client, seen: Any) -> Any:
    return client.post(ADDRESS, {"action": "trash", "expected": seen.context["yours"].token})


def test_what_lost_its_tag_since_one_looked_is_not_acted_on(client: Client, rejects: list[Asset], carol: User) -> None:
    client.force_login(carol)
    looked = client.get(ADDRESS)
    assert "3 pictures" in looked.content.decode()
    take_tag_off(rejects[1])
    again = trash_all(client, looked)
    assert (again.status_code, Batch.objects.count()) == (409, 0)
    assert "Trash 2 pictures" in again.content.decode()
    assert trash_all(client, again).status_code == 302
    drain_batches()
    assert set(Asset.objects.filter(trashed_at__isnull=False)) == {rejects[0], rejects[2]}


def test_what_came_since_one_looked_is_not_acted_on_unseen(
    client: Client, rejects: list[Asset], carol: User, come_later: Any
) -> None:
    client.force_login(carol)
    looked = client.get(ADDRESS)
    come_later()
    again = trash_all(client, looked)
    assert (again.status_code, Batch.objects.count()) == (409, 0)
    assert "Trash 4 pictures" in again.content.decode()


def test_the_same_order_twice_acts_each_time_on_what_there_is(
    rejects: list[Asset], carol: User, come_later: Any
) -> None:
    order = {"action": "tag", "tags": ["sea"], "query": {"q": "boat", "tag": "reject"}}
    first = client_of(carol).post("/api/v1/batches", order, format="json")
    take_tag_off(rejects[0])
    later = come_later()
    second = client_of(carol).post("/api/v1/batches", order, format="json")
    assert (first.json()["total"], second.json()["total"]) == (3, 3)
    held = Batch.objects.latest("pk").items.values_list("asset_id", flat=True)
    assert set(held) == {rejects[1].pk, rejects[2].pk, later.pk}


def test_filters_hold_until_the_moment_of_acting(rejects: list[Asset], carol: User) -> None:
    choice = choose_all(Query(text="boat", tags="reject"), carol)
    take_tag_off(rejects[1])
    assert set(choice.assets) == {rejects[0], rejects[2]}


def test_facets_count_what_there_is_now(rejects: list[Asset], carol: User, come_later: Any) -> None:
    query = Query(text="boat", tags="reject")
    assert count_facets(query, carol).total == 3
    take_tag_off(rejects[1])
    assert count_facets(query, carol).total == 2
    come_later()
    assert count_facets(query, carol).total == 3

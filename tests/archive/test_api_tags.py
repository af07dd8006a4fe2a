"""Tags in the API: which there are for me, and those of one asset."""

from __future__ import annotations

import re
import uuid

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from archive.models import Asset, Collection, Concept, ConceptKind, Membership, Role, Tag, TagState
from archive.tags import add_tags, tags_of
from tests.api import client_of, error_of
from tests.archive.test_visibility import put

pytestmark = pytest.mark.django_db


@pytest.fixture
def boat(harbour: Collection) -> Asset:
    return put(harbour, "boat")


@pytest.fixture
def secret(alice: User) -> Asset:
    return put(Collection.objects.create(slug="hidden", name="Hidden", owner=alice), "secret")


def test_names_come_with_counts_of_what_i_may_see(boat: Asset, secret: Asset, alice: User, bob: User) -> None:
    add_tags(Asset.objects.all(), ["boat", "Été"], alice)
    add_tags(Asset.objects.filter(pk=secret.pk), ["project x"], alice)
    counts = {tag["name"]: tag["count"] for tag in client_of(alice).get("/api/v1/tags").json()["results"]}
    assert counts == {"boat": 2, "Été": 2, "project x": 1}
    seen = client_of(bob).get("/api/v1/tags").json()["results"]
    assert seen == [{"name": "boat", "slug": "boat", "count": 1}, {"name": "Été", "slug": "été", "count": 1}]
    assert client_of(bob).get("/api/v1/tags?q=ÉT").json()["results"] == seen[1:]


def test_pages_of_names_lose_and_repeat_none_and_cost_the_same(boat: Asset, alice: User) -> None:
    client = client_of(alice)
    add_tags(Asset.objects.all(), [f"tag {n}" for n in range(7)], alice)
    address, names = "/api/v1/tags?limit=3", []
    with CaptureQueriesContext(connection) as one:
        client.get("/api/v1/tags?limit=1")
    while address:
        with CaptureQueriesContext(connection) as page:
            answer = client.get(address).json()
        assert len(page) <= len(one)
        names += [tag["name"] for tag in answer["results"]]
        address = answer["next"]
    assert names == [f"tag {n}" for n in range(7)]


def test_what_is_on_a_page_is_counted_at_once(boat: Asset, secret: Asset, alice: User, bob: User) -> None:
    add_tags(Asset.objects.all(), [f"tag {n}" for n in range(7)], alice)
    client = client_of(bob)
    for limit in (2, 5):
        with CaptureQueriesContext(connection) as seen:
            shown = client.get(f"/api/v1/tags?limit={limit}").json()["results"]
        assert [tag["count"] for tag in shown] == [1] * limit
        (counting,) = [one["sql"] for one in seen if "COUNT(" in one["sql"]]
        (listed,) = re.findall(r'"concept_id" IN \(([\d, ]+)\)', counting)
        assert len(listed.split(",")) == limit


def test_only_accepted_tags_of_what_is_shown_are_counted(boat: Asset, alice: User, bob: User) -> None:
    harbour = boat.collection
    gone, held, proposed = (put(harbour, name) for name in ("gone", "held", "proposed"))
    add_tags(Asset.objects.all(), ["boat"], alice)
    Asset.objects.filter(pk=gone.pk).update(trashed_at=now())
    Asset.objects.filter(pk=held.pk).update(quarantined=True)
    Tag.objects.filter(asset=proposed).update(state=TagState.PROPOSED)
    for user in (alice, bob):
        assert [tag["count"] for tag in client_of(user).get("/api/v1/tags").json()["results"]] == [1]
    Asset.objects.filter(pk=boat.pk).update(trashed_at=now())
    assert client_of(bob).get("/api/v1/tags").json()["results"] == []


def test_putting_tags_says_exactly_these(boat: Asset, alice: User) -> None:
    client = client_of(alice)
    address = f"/api/v1/assets/{boat.uuid}/tags"
    assert client.put(address, {"tags": ["boat", " Red  one "]}, format="json").json()["tags"] == ["boat", "Red one"]
    assert client.put(address, {"tags": ["BOAT"]}, format="json").json()["tags"] == ["boat"]
    assert client.put(f"{address}/and/or", format="json").json()["tags"] == ["and/or", "boat"]
    assert client.delete(f"{address}/Boat").status_code == 204
    assert client.delete(f"{address}/Boat").status_code == 204
    assert [tag.name for tag in tags_of(boat)] == ["and/or"]


def test_lists_carry_tags_at_the_same_cost(boat: Asset, harbour: Collection, alice: User) -> None:
    client = client_of(alice)
    add_tags(Asset.objects.all(), ["sea", "boat"], alice)
    client.get("/api/v1/assets")
    with CaptureQueriesContext(connection) as one:
        assert client.get("/api/v1/assets").json()["results"][0]["tags"] == ["boat", "sea"]
    for n in range(4):
        put(harbour, str(n))
    add_tags(Asset.objects.all(), ["sea"], alice)
    with CaptureQueriesContext(connection) as many:
        assert len(client.get("/api/v1/assets").json()["results"]) == 5
    assert len(many) == len(one)


def test_whoever_only_looks_gets_403_and_a_stranger_404(boat: Asset, bob: User, visitor: User) -> None:
    for person, status in ((bob, 403), (visitor, 404)):
        client = client_of(person)
        for call in (client.put, client.delete):
            assert call(f"/api/v1/assets/{boat.uuid}/tags/mine", format="json").status_code == status
        assert client.put(f"/api/v1/assets/{boat.uuid}/tags", {"tags": []}, format="json").status_code == status
    assert not Concept.objects.exists()


def test_a_curator_of_one_collection_tags_there_alone(boat: Asset, secret: Asset, bob: User) -> None:
    Membership.objects.filter(user=bob).update(role=Role.CURATOR)
    client = client_of(bob)
    assert client.put(f"/api/v1/assets/{boat.uuid}/tags/sea").status_code == 200
    assert client.put(f"/api/v1/assets/{secret.uuid}/tags/sea").status_code == 404


@pytest.mark.parametrize(
    "tags",
    [None, "sea", ["x" * 81], ["a\x00b"], [""], [1, [2]], [f"t{n}" for n in range(10_000)], [",".join("ab" * 90)]],
)
def test_what_cannot_be_tags_is_a_400_with_a_sentence(boat: Asset, alice: User, tags: object) -> None:
    answer = client_of(alice).put(f"/api/v1/assets/{boat.uuid}/tags", {"tags": tags}, format="json")
    assert answer.status_code == 400
    assert error_of(answer)["code"] == "invalid"
    assert not Concept.objects.exists()


def test_odd_addresses_are_no_500(boat: Asset, alice: User) -> None:
    client = client_of(alice)
    for name in ("%00", "a,b", "%20", "x" * 500):
        assert client.put(f"/api/v1/assets/{boat.uuid}/tags/{name}").status_code == 400
    assert client.put(f"/api/v1/assets/{uuid.uuid4()}/tags/sea").status_code == 404
    assert client.get("/api/v1/tags?cursor=cD0lMDA%3D").status_code == 400
    assert client.get("/api/v1/tags?q=%00").status_code == 400


def test_what_is_prohibited_is_no_tag(boat: Asset, alice: User) -> None:
    Concept.objects.create(slug="weapon", name="Weapon", kind=ConceptKind.PROHIBITED)
    client, address = client_of(alice), f"/api/v1/assets/{boat.uuid}/tags"
    for answer in (
        client.put(address, {"tags": ["weapon", "sea"]}, format="json"),
        client.put(f"{address}/weapon", format="json"),
        client.post("/api/v1/batches", {"action": "tag", "tags": ["weapon"], "assets": [boat.uuid]}, format="json"),
    ):
        assert answer.status_code == 400
        assert "“Weapon” is a prohibited concept" in str(error_of(answer))
    assert tags_of(boat) == []

"""Collections: the shelf, one of them, and who belongs to it."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from archive.models import Asset, Collection, Membership, Role, Status, Visibility
from archive.views import collections
from tests.cast import make_jpeg, upload


@pytest.fixture
def boats(harbour: Collection, bob: User, tmp_path: Path) -> list[Asset]:
    paths = [make_jpeg(tmp_path, f"boat-{n}.jpg", "red", (200 + n, 150)) for n in range(5)]
    assets = [upload(harbour, path, bob) for path in paths]
    Asset.objects.update(status=Status.READY, width=200, height=150)
    return assets


def count_queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def test_the_shelf_shows_what_i_may_see_with_its_size(
    boats: list[Asset], bob: User, visitor: User, client: Client
) -> None:
    client.force_login(bob)
    page = client.get("/collections/").content.decode()
    assert "Harbour" in page
    assert "5 pictures" in page
    assert page.count("/thumbnail/") == collections.COVERS
    client.force_login(visitor)
    assert "Harbour" not in client.get("/collections/").content.decode()


def test_the_shelf_costs_the_same_however_full_it_is(
    boats: list[Asset], alice: User, bob: User, client: Client
) -> None:
    client.force_login(bob)
    few = count_queries(client, "/collections/")
    for n in range(4):
        place = Collection.objects.create(slug=f"p{n}", name=f"P{n}", owner=alice, visibility=Visibility.EVERYONE)
        Asset.objects.filter(pk=boats[n].pk).update(collection=place)
    assert count_queries(client, "/collections/") == few


def test_a_collection_page_costs_the_same_however_full_it_is(boats: list[Asset], bob: User, client: Client) -> None:
    client.force_login(bob)
    many = count_queries(client, "/collections/harbour/")
    Asset.objects.exclude(pk=boats[0].pk).delete()
    assert count_queries(client, "/collections/harbour/") == many


def test_paging_through_a_collection_repeats_and_loses_nothing(
    boats: list[Asset], bob: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collections, "PAGE", 2)
    Asset.objects.update(added_at=boats[0].added_at)  # a folder that came in at once
    client.force_login(bob)
    seen, address = [], "/collections/harbour/"
    while address:
        response = client.get(address, headers={"HX-Request": "true"})
        seen += [asset.pk for asset in response.context["assets"]]
        address = response.context["next"] and f"/collections/harbour/{response.context['next']}"
    assert seen == sorted((asset.pk for asset in boats), reverse=True)


def test_an_unseen_collection_is_a_404(harbour: Collection, visitor: User, client: Client) -> None:
    client.force_login(visitor)
    assert client.get("/collections/harbour/").status_code == 404
    assert client.post("/collections/harbour/members/", {"name": "visitor", "role": "owner"}).status_code == 404


def test_anybody_makes_a_collection_and_owns_it(bob: User, client: Client) -> None:
    client.force_login(bob)
    for _ in range(2):
        client.post("/collections/", {"name": "Möwen & Boote", "visibility": "members", "description": ""})
    assert list(Collection.objects.order_by("pk").values_list("slug", flat=True)) == ["mowen-boote", "mowen-boote-2"]
    assert {made.owner for made in Collection.objects.all()} == {bob}


def test_a_name_without_letters_that_an_address_may_have_still_gets_one(bob: User, client: Client) -> None:
    client.force_login(bob)
    client.post("/collections/", {"name": "猫", "visibility": "members", "description": ""})
    assert Collection.objects.get().slug == "collection"


@pytest.fixture
def cove(bob: User) -> Collection:
    return Collection.objects.create(slug="cove", name="Cove", owner=bob)


def test_an_owner_lets_somebody_in_and_out_again(cove: Collection, bob: User, visitor: User, client: Client) -> None:
    client.force_login(bob)
    client.post("/collections/cove/members/", {"name": "visitor", "role": "viewer"})
    assert Collection.objects.visible_to(visitor).get() == cove
    member = Membership.objects.get()
    client.post(f"/collections/cove/members/{member.pk}/remove/")
    assert not Collection.objects.visible_to(visitor).exists()


def test_adding_somebody_again_changes_the_role(cove: Collection, bob: User, visitor: User, client: Client) -> None:
    client.force_login(bob)
    for role in (Role.VIEWER, Role.CURATOR):
        client.post("/collections/cove/members/", {"name": "visitor", "role": role})
    assert Membership.objects.get().role == Role.CURATOR


def test_a_group_can_be_let_in(cove: Collection, bob: User, visitor: User, client: Client) -> None:
    sailors = Group.objects.create(name="sailors")
    visitor.groups.add(sailors)
    client.force_login(bob)
    client.post("/collections/cove/members/", {"name": "sailors", "role": "viewer"})
    assert Collection.objects.visible_to(visitor).get() == cove


def test_a_name_that_nobody_has_is_said_to_be_so(cove: Collection, bob: User, client: Client) -> None:
    client.force_login(bob)
    page = client.post("/collections/cove/members/", {"name": "nobody", "role": "viewer"}).content.decode()
    assert "Nobody has that name, and no group either." in page


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CONTRIBUTOR, Role.CURATOR])
def test_only_owners_change_members_and_settings(cove: Collection, visitor: User, client: Client, role: Any) -> None:
    member = Membership.objects.create(collection=cove, user=visitor, role=role)
    client.force_login(visitor)
    assert client.post("/collections/cove/members/", {"name": "visitor", "role": "owner"}).status_code == 404
    assert client.post(f"/collections/cove/members/{member.pk}/remove/").status_code == 404
    assert client.post("/collections/cove/", {"name": "Mine", "visibility": "everyone"}).status_code == 404
    cove.refresh_from_db()
    assert (cove.name, cove.visibility) == ("Cove", Visibility.MEMBERS)


def test_a_member_of_another_collection_cannot_be_removed_through_mine(
    cove: Collection, harbour: Collection, bob: User, client: Client
) -> None:
    elsewhere = Membership.objects.get(collection=harbour)
    client.force_login(bob)
    assert client.post(f"/collections/cove/members/{elsewhere.pk}/remove/").status_code == 404
    assert Membership.objects.filter(pk=elsewhere.pk).exists()


def test_an_owner_opens_a_collection_to_everyone(cove: Collection, bob: User, visitor: User, client: Client) -> None:
    client.force_login(bob)
    client.post("/collections/cove/", {"name": "Cove", "visibility": "everyone", "description": "Quiet water"})
    assert Collection.objects.visible_to(visitor).get().description == "Quiet water"

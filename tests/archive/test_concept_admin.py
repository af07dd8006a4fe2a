"""The names of tags in the admin: for whoever runs the archive, and for nobody else."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from archive.models import Asset, Collection, Concept, Policy
from archive.tags import add_tags, tags_of
from tests.archive.test_visibility import put
from tests.cast import make_user

pytestmark = pytest.mark.django_db

LIST = "/admin/archive/concept/"


@pytest.fixture
def boat(harbour: Collection, alice: User) -> Asset:
    boat = put(harbour, "boat")
    add_tags(Asset.objects.all(), ["Boat"], alice)
    return boat


def test_a_name_is_corrected_everywhere_and_its_address_stays(boat: Asset, alice: User, client: Client) -> None:
    client.force_login(alice)
    concept = Concept.objects.get()
    assert "Boat" in client.get(LIST).content.decode()
    assert client.post(f"{LIST}{concept.pk}/change/", {"name": "  Sailing   BOAT "}).status_code == 302
    assert [(tag.name, tag.slug, tag.folded) for tag in tags_of(boat)] == [("Sailing BOAT", "boat", "sailing boat")]


@pytest.mark.parametrize("bad", ["BOAT", "a, b", " ", "x" * 81, "a\u202eb"])
def test_what_cannot_be_a_name_or_is_taken_is_refused(boat: Asset, alice: User, client: Client, bad: str) -> None:
    client.force_login(alice)
    assert client.post(f"{LIST}add/", {"name": bad}).status_code == 200
    assert Concept.objects.count() == 1


def test_a_new_one_gets_an_address(boat: Asset, alice: User, client: Client) -> None:
    client.force_login(alice)
    client.post(f"{LIST}add/", {"name": "boat!"})
    assert Concept.objects.values_list("slug", "created_by__username").get(name="boat!") == ("boat-2", "alice")


def test_staff_without_the_whole_archive_do_not_see_the_names(boat: Asset, client: Client) -> None:
    dora = make_user("dora")
    dora.is_staff = True
    dora.save()
    client.force_login(dora)
    assert client.get(LIST).status_code == 403
    assert "Concepts" not in client.get("/admin/").content.decode()


def test_before_one_is_deleted_its_tags_are_counted_and_not_listed(
    boat: Asset, harbour: Collection, alice: User, client: Client
) -> None:
    for n in range(5):
        put(harbour, f"other-{n}")
    add_tags(Asset.objects.all(), ["Boat"], alice)
    client.force_login(alice)
    concept = Concept.objects.get()
    page = client.get(f"{LIST}{concept.pk}/delete/").content.decode()
    assert "Tags: 6" in page
    assert f"{concept.pk} on " not in page
    policy = Policy.objects.create(concept=concept)
    assert f"the policy for {policy}" in client.get(f"{LIST}{concept.pk}/delete/").content.decode()
    policy.delete()
    assert client.post(f"{LIST}{concept.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Concept.objects.exists()

"""Who sees what: the one predicate behind every list, page, file, count and search."""

from __future__ import annotations

import hashlib

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.db import IntegrityError, transaction

from archive.models import Asset, Collection, Membership, Role, Visibility
from archive.models.assets import may_upload_to
from archive.trash import trash
from tests.cast import make_user

pytestmark = pytest.mark.django_db


def put(collection: Collection, name: str) -> Asset:
    sha256 = hashlib.sha256(f"{collection.slug} {name}".encode()).hexdigest()
    return Asset.objects.create(collection=collection, sha256=sha256, original="o", filename=name, size=1)


def seen(user: User | AnonymousUser) -> set[str]:
    """By the rule, and by the collections that it names: the same."""
    found = set(Asset.objects.visible_to(user).values_list("filename", flat=True))
    assert set(Asset.objects.visible_to(user, named=True).values_list("filename", flat=True)) == found
    return found


@pytest.fixture
def boat(harbour: Collection) -> Asset:
    return put(harbour, "boat")


def test_members_see_and_others_do_not(boat: Asset, alice: User, bob: User, visitor: User) -> None:
    assert seen(alice) == seen(bob) == {"boat"}
    assert seen(visitor) == seen(AnonymousUser()) == set()


def test_an_owner_without_a_membership_sees_and_curates(visitor: User) -> None:
    own = put(Collection.objects.create(slug="own", name="Own", owner=visitor), "mine")
    assert seen(visitor) == {"mine"}
    assert own.may_be_curated_by(visitor)


def test_everyone_means_everyone_who_is_logged_in(boat: Asset, harbour: Collection, visitor: User) -> None:
    Collection.objects.update(visibility=Visibility.EVERYONE)
    assert seen(visitor) == {"boat"}
    assert seen(AnonymousUser()) == set()
    assert not boat.may_be_curated_by(visitor)
    assert not may_upload_to(visitor).exists()


def test_a_group_opens_a_collection_to_its_people(boat: Asset, harbour: Collection, visitor: User) -> None:
    crew = Group.objects.create(name="crew")
    Membership.objects.create(collection=harbour, group=crew, role=Role.CURATOR)
    assert seen(visitor) == set()
    visitor.groups.add(crew)
    assert seen(visitor) == {"boat"}
    assert boat.may_be_curated_by(visitor)
    visitor.groups.clear()
    assert seen(visitor) == set()


@pytest.mark.parametrize(
    ("role", "uploads", "curates"),
    [
        (Role.VIEWER, False, False),
        (Role.CONTRIBUTOR, True, False),
        (Role.CURATOR, True, True),
        (Role.OWNER, True, True),
    ],
)
def test_each_role_may_what_the_ones_before_it_may(
    boat: Asset, harbour: Collection, role: Role, uploads: bool, curates: bool
) -> None:
    member = make_user("member")
    Membership.objects.create(collection=harbour, user=member, role=role)
    assert seen(member) == {"boat"}
    assert may_upload_to(member).exists() is uploads
    assert boat.may_be_curated_by(member) is curates


def test_the_trash_is_out_of_sight_but_not_of_its_curators(boat: Asset, alice: User, bob: User) -> None:
    trash(Asset.objects.all())
    assert seen(alice) == seen(bob) == set()
    assert boat.may_be_curated_by(alice)
    assert not boat.may_be_curated_by(bob)


def test_two_memberships_in_a_collection_do_not_double_its_assets(boat: Asset, harbour: Collection, bob: User) -> None:
    crew = Group.objects.create(name="crew")
    bob.groups.add(crew)
    Membership.objects.create(collection=harbour, group=crew, role=Role.VIEWER)
    assert Asset.objects.visible_to(bob).count() == 1


def test_a_membership_is_of_a_person_or_a_group_and_only_once(harbour: Collection, bob: User) -> None:
    for wrong in ({}, {"user": bob, "group": Group.objects.create(name="crew")}, {"user": bob}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Membership.objects.create(collection=harbour, role=Role.VIEWER, **wrong)


@pytest.mark.parametrize("most", [1000, 1])
def test_what_the_admin_lists_is_what_one_sees_and_the_trash_of_what_one_curates(
    harbour: Collection, alice: User, visitor: User, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Whether the collections are named one by one or are too many for that."""
    monkeypatch.setattr("archive.models.collections.MOST_NAMED", most)
    member, root = make_user("member"), User.objects.create_superuser("root")
    places = [Collection.objects.create(slug=name, name=name, owner=alice) for name in ("looked", "cared", "hidden")]
    Membership.objects.create(collection=places[0], user=member, role=Role.VIEWER)
    Membership.objects.create(collection=places[1], user=member, role=Role.CURATOR)
    for place in places:
        put(place, f"{place.slug} kept")
        gone, held = put(place, f"{place.slug} gone"), put(place, f"{place.slug} held")
        trash(Asset.objects.filter(pk=gone.pk))
        Asset.objects.filter(pk=held.pk).update(quarantined=True)
    for user in (member, root, alice, visitor, AnonymousUser()):
        either = Asset.objects.visible_to(user) | Asset.objects.curated_by(user)
        assert set(Asset.objects.seen_or_curated_by(user)) == set(either)
        assert set(Asset.objects.curated_by(user, named=True)) == set(Asset.objects.curated_by(user))
        assert seen(user) <= set(either.values_list("filename", flat=True))
    listed = set(Asset.objects.seen_or_curated_by(member).values_list("filename", flat=True))
    assert listed == {"looked kept", "cared kept", "cared gone"}

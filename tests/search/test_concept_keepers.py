"""Who keeps which concept: curators for their own collections, and never what others use or a policy looks for."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.timezone import now

from archive.concepts.heads import find_judged
from archive.concepts.keeping import kept_by
from archive.models import Asset, Collection, Concept, ConceptVector, Event, LogEntry, Membership, OnMatch, Policy, Role
from archive.tags import add_tags
from tests.cast import make_user
from tests.prepared import make_encoded
from tests.search.house import NEW, House
from tests.search.scenes import shown
from workers.concepts import read_concepts

pytestmark = pytest.mark.django_db


def test_a_curator_keeps_concepts_for_their_own_collections_only(house: House, harbour: Collection, bob: User) -> None:
    Membership.objects.filter(user=bob).update(role=Role.CURATOR)
    attic = Collection.objects.create(slug="attic", name="Attic", owner=make_user("carol"))
    other = Concept.objects.create(name="theirs", slug="theirs", on_match=OnMatch.PROPOSE)
    client = Client()
    client.force_login(bob)
    refused = client.post("/concepts/new/", {**NEW, "verb": "save"})
    assert (refused.status_code, "required" in refused.content.decode()) == (400, True)
    assert client.post("/concepts/new/", {**NEW, "scope": attic.pk, "verb": "save"}).status_code == 400
    assert client.post("/concepts/new/", {**NEW, "scope": harbour.pk, "verb": "save"}).status_code == 302
    mine = Concept.objects.get(name="Lighthouses")
    assert list(kept_by(bob)) == [mine]
    page = client.get("/concepts/").content.decode()
    assert ("Lighthouses" in page, "theirs" in page) == (True, False)
    for address in ("", "judge/", "progress/"):
        assert client.get(f"/concepts/{other.pk}/{address}").status_code == 404
    mine.scope.add(attic)  # and no longer his alone
    assert client.get(f"/concepts/{mine.pk}/").status_code == 404


def test_who_curates_nothing_finds_no_such_pages(house: House, visitor: User) -> None:
    client = Client()
    client.force_login(visitor)
    assert {client.get(f"/concepts/{page}").status_code for page in ("", "new/", "1/", "1/judge/")} == {404}
    assert {client.post(f"/concepts/{page}").status_code for page in ("new/", "1/learn/", "1/version/")} == {404}


def test_a_curator_who_names_a_tag_is_told_whom_to_ask(house: House, harbour: Collection, bob: User) -> None:
    Membership.objects.filter(user=bob).update(role=Role.CURATOR)
    add_tags(Asset.objects.filter(pk=house.assets[0].pk), ["Lighthouses"], bob)
    client = Client()
    client.force_login(bob)
    told = {**NEW, "scope": harbour.pk, "verb": "save"}
    assert "ask whoever runs the archive" in client.post("/concepts/new/", told).content.decode()
    client.post("/concepts/new/", {**told, "name": "Piers"})
    assert "Change that one" in client.post("/concepts/new/", {**told, "name": "piers"}).content.decode()


@pytest.fixture
def shared(house: House, harbour: Collection, bob: User) -> tuple[Client, Concept, Asset]:
    """Bob keeps a concept for the harbour; a picture in somebody else's attic carries it as well."""
    Membership.objects.filter(user=bob).update(role=Role.CURATOR)
    attic = Collection.objects.create(slug="attic", name="Attic", owner=make_user("carol"))
    (asset,) = make_encoded(attic, house.space, shown().rows[:1], prefix="hidden")
    client = Client()
    client.force_login(bob)
    client.post("/concepts/new/", {**NEW, "scope": harbour.pk, "verb": "save"})
    concept = Concept.objects.get()
    add_tags(Asset.objects.filter(pk=asset.pk), [concept.name], attic.owner)
    return client, concept, asset


@pytest.mark.parametrize("changed", [{"name": "Towers"}, {"kind": "prohibited"}])
def test_what_others_use_as_well_keeps_its_name_and_kind(
    shared: tuple[Client, Concept, Asset], harbour: Collection, house: House, changed: dict[str, str]
) -> None:
    client, concept, _ = shared
    told = {**NEW, "scope": harbour.pk, "verb": "save"}
    answer = client.post(f"/concepts/{concept.pk}/", {**told, **changed})
    assert (answer.status_code, "Other collections use" in answer.content.decode()) == (400, True)
    concept.refresh_from_db()
    assert (concept.name, concept.kind) == ("Lighthouses", "tag")
    assert client.post(f"/concepts/{concept.pk}/", {**told, "prompts": "a tower"}).status_code == 302
    assert house.post(f"/concepts/{concept.pk}/", **{**told, **changed}).status_code == 302  # who runs the archive


def test_what_was_said_elsewhere_or_is_hidden_is_neither_counted_nor_learnt(
    shared: tuple[Client, Concept, Asset], house: House, alice: User
) -> None:
    client, concept, _ = shared
    read_concepts()
    kept, trashed, held = house.assets[:3]
    add_tags(Asset.objects.filter(pk__in=[kept.pk, trashed.pk, held.pk]), [concept.name], alice)
    Asset.objects.filter(pk=trashed.pk).update(trashed_at=now())
    Asset.objects.filter(pk=held.pk).update(quarantined=True)
    assert "1 said to show it" in client.get(f"/concepts/{concept.pk}/judge/").content.decode()
    assert find_judged(concept, house.space).assets == [kept.pk]


def test_what_a_policy_looks_for_is_changed_by_those_who_may_and_the_log_tells(
    house: House, harbour: Collection, alice: User, bob: User
) -> None:
    Membership.objects.filter(user=bob).update(role=Role.CURATOR)
    told = {**NEW, "kind": "prohibited", "scope": harbour.pk, "verb": "save"}
    house.post("/concepts/new/", **told)
    concept = Concept.objects.get()
    read_concepts()
    Policy.objects.create(concept=concept)
    client = Client()
    client.force_login(bob)
    for changed in ({"kind": "tag"}, {"prompts": "nothing at all"}, {"line": "90"}):
        answer = client.post(f"/concepts/{concept.pk}/", {**told, **changed})
        assert (answer.status_code, "A policy looks for" in answer.content.decode()) == (400, True)
    for address in ("learn", "version"):
        answer = client.post(f"/concepts/{concept.pk}/{address}/", follow=True)
        assert "A policy looks for" in answer.content.decode()
    concept.refresh_from_db()
    assert (concept.kind, concept.prompts, ConceptVector.objects.get().chosen) == ("prohibited", ["a lighthouse"], None)
    assert not LogEntry.objects.exists()
    assert house.post(f"/concepts/{concept.pk}/", **{**told, "kind": "tag", "line": "2.5"}).status_code == 302
    (entry,) = LogEntry.objects.all()
    assert (entry.event, entry.person, entry.concept) == (Event.CHANGED, "alice", "Lighthouses")
    assert "kind: tag instead of prohibited; line: 2.50 instead of calibrated" in entry.reason
    house.post(f"/concepts/{concept.pk}/version/", version="")
    assert "judged by its words alone" in LogEntry.objects.order_by("-id")[0].reason

"""Tags on the cards of the contact sheet, and the history of who changed what."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.test import Client

from archive.models import Asset, Membership, Role
from archive.tags import add_tags, tags_of
from tests.search.contact_sheet.sheet import SHEET, order


def test_a_tag_typed_on_a_card_is_put_on_and_logged(client: Client, alice: User, pictures: list[Asset]) -> None:
    client.force_login(alice)
    address, name = f"{SHEET}{pictures[0].pk}/tags/", f"add-{pictures[0].pk}"
    part = client.post(address, {name: "boat, Sea"}, headers={"X-Part": "tags"})
    assert part.status_code == 200
    assert "Take off “Sea”" in part.content.decode()
    assert [tag.name for tag in tags_of(pictures[0])] == ["boat", "Sea"]
    assert "Take off “boat”" in client.get(SHEET).content.decode()
    page = client.post(address, {"remove": "boat", "back": f"{SHEET}?q=red.jpg"})
    assert page["Location"] == f"{SHEET}?q=red.jpg"
    assert client.post(address, {"back": "https://elsewhere.example/"})["Location"] == SHEET
    assert [tag.name for tag in tags_of(pictures[0])] == ["Sea"]
    wrong = client.post(address, {name: "x" * 90}, headers={"X-Part": "tags"})
    assert (wrong.status_code, "at most 80" in wrong.content.decode()) == (400, True)
    history = client.get(f"{SHEET}{pictures[0].pk}/history/").content.decode()
    assert "Put on “boat”, “Sea”." in history
    assert "Took off “boat”." in history


def test_cards_take_tags_only_from_those_who_curate(client: Client, dora: User, pictures: list[Asset]) -> None:
    member = Membership.objects.create(collection=pictures[0].collection, user=dora, role=Role.VIEWER)
    client.force_login(dora)
    address, name = f"{SHEET}{pictures[0].pk}/tags/", f"add-{pictures[0].pk}"
    assert 'class="add-tag"' not in client.get(SHEET).content.decode()
    assert client.post(address, {name: "boat"}).status_code == 404
    assert client.get(f"{SHEET}{pictures[0].pk}/history/").status_code == 403
    Membership.objects.filter(pk=member.pk).update(role=Role.CURATOR)
    assert 'class="add-tag"' in client.get(SHEET).content.decode()
    assert client.post(address, {name: "boat"}).status_code == 302
    assert client.get(address).status_code == 404


def test_names_are_offered_of_what_one_sees(client: Client, alice: User, dora: User, pictures: list[Asset]) -> None:
    add_tags(Asset.objects.all(), ["Boat", "boathouse", "sea"], alice)
    for user, names in ((alice, ["Boat", "boathouse"]), (dora, [])):
        client.force_login(user)
        assert client.get(f"{SHEET}names/", {"q": "BOA"}).json() == {"names": names}
        places = ["Harbour"] if user == alice else []
        assert client.get(f"{SHEET}names/", {"q": "har", "of": "collection"}).json() == {"names": places}


def test_the_history_tells_who_changed_what(client: Client, alice: User, dora: User, pictures: list[Asset]) -> None:
    client.force_login(alice)
    order(client, "tag", pictures[:2], tags="boat")
    order(client, "encode", pictures[:3])
    seen = client.get("/admin/history/").content.decode()
    for said in ("Tag “boat”", "2 chosen pictures", "“boat” put on", "Encode again", "3 chosen pictures", "alice"):
        assert said in seen
    assert "Tag “boat”" in client.get(f"{SHEET}{pictures[0].pk}/history/").content.decode()
    assert "Tag “boat”" not in client.get(f"{SHEET}{pictures[2].pk}/history/").content.decode()
    client.force_login(dora)
    theirs = client.get("/admin/history/").content.decode()
    assert "boat" not in theirs
    assert client.get("/admin/history/", {"before": "yesterday"}).status_code == 404

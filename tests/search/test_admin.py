"""The contact sheet: found by what pictures show, acted on in one go, and only where one curates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from archive.batches import undo
from archive.models import Asset, Batch, Collection, Membership, Role, Space, Status, Step, Work, WorkState
from archive.readiness import settle
from archive.tags import add_tags, tags_of
from archive.trash import trash
from search.admin.assets import AssetAdmin
from search.admin.forms import AssetForm
from search.finding import By, find_assets
from tests.cast import make_jpeg, make_user, upload
from tests.prepared import make_encoded, random_rows
from workers.batches import drain_batches

SHEET = "/admin/archive/asset/"
EMPTY_TABLES = {f"{table}-{what}_FORMS": "0" for table in ("tags", "work") for what in ("TOTAL", "INITIAL")}
COLOURS = ("red", "green", "blue", "yellow", "white")


@pytest.fixture
def dora(db: None) -> User:
    """On the staff, no superuser: what she may do stands in her collections."""
    user = make_user("dora")
    user.is_staff = True
    user.save()
    return user


@pytest.fixture
def pictures(harbour: Collection, fake_space: Space) -> list[Asset]:
    """Five pictures, read and encoded."""
    return make_pictures(harbour, fake_space)


def make_pictures(collection: Collection, space: Space) -> list[Asset]:
    assets = make_encoded(collection, space, random_rows(len(COLOURS)))
    for asset, colour in zip(assets, COLOURS, strict=True):
        asset.filename = f"{colour}.jpg"
        asset.save()
        for step, target in ((Step.PREPARE, ""), (Step.ENCODE, space.slug)):
            Work.objects.create(asset=asset, step=step, target=target, state=WorkState.DONE, done_at=now())
    return assets


def make_twin(asset: Asset, collection: Collection) -> Asset:
    """The same content in another collection."""
    return Asset.objects.create(
        collection=collection,
        sha256=asset.sha256,
        original=asset.original,
        filename="twin.jpg",
        media_type=asset.media_type,
        size=asset.size,
    )


@pytest.fixture
def attic(alice: User) -> Collection:
    return Collection.objects.create(slug="attic", name="Attic", owner=alice)


def shown(client: Client, query: str = "") -> list[Asset]:
    response = client.get(f"{SHEET}{query}")
    assert response.status_code == 200
    return list(response.context["cl"].result_list)


def act(client: Client, action: str, chosen: list[Asset], query: str = "", **more: Any) -> str:
    """Choose and press; returns the messages of the page that follows."""
    data = {"action": action, "index": "0", "_selected_action": [a.pk for a in chosen], **more}
    response = client.post(f"{SHEET}{query}", data, follow=True)
    assert response.status_code == 200
    return " ".join(str(message) for message in response.context["messages"])


def order(client: Client, action: str, chosen: list[Asset], query: str = "", **more: Any) -> Batch:
    """Choose, look at the page between, confirm what it shows, and have it done."""
    data = {"action": action, "_selected_action": [a.pk for a in chosen], **more}
    asked = client.post(f"{SHEET}{query}", {**data, "index": "0"})
    assert asked.status_code == 200
    data |= {"confirmed": "yes", "expected": asked.context["set"].token}
    response = client.post(f"{SHEET}{query}", data)
    assert response.status_code == 302, response.content.decode()
    drain_batches()
    batch = Batch.objects.latest("pk")
    assert response["Location"] == batch.get_absolute_url()
    return batch


@pytest.mark.usefixtures("queries_in_process")
def test_words_rank_the_sheet_by_the_engine(client: Client, alice: User, pictures: list[Asset]) -> None:
    client.force_login(alice)
    found = shown(client, "?q=something")
    ranked = list(find_assets(Asset.objects.all(), "something", alice).assets)
    assert found == ranked
    assert set(found) == set(pictures)
    assert [a.pk for a in found] != [a.pk for a in shown(client)]


def test_a_picture_is_found_by_its_like(client: Client, alice: User, pictures: list[Asset]) -> None:
    client.force_login(alice)
    assert shown(client, f"?q=like:{pictures[2].uuid}")[0] == pictures[2]


def test_an_exact_file_name_and_an_id_find_that_asset_alone(client: Client, alice: User, pictures: list[Asset]) -> None:
    client.force_login(alice)
    assert shown(client, "?q=blue.jpg") == [pictures[2]]
    assert shown(client, f"?q={pictures[1].uuid}") == [pictures[1]]


def test_without_a_worker_words_are_looked_for_in_names_and_the_page_says_so(
    client: Client, alice: User, pictures: list[Asset], settings: Any
) -> None:
    settings.SIGHTLINE_QUERY_TIMEOUT = 0.2
    client.force_login(alice)
    response = client.get(f"{SHEET}?q=yell")
    assert list(response.context["cl"].result_list) == [pictures[3]]
    assert "Found by file name and title instead." in response.content.decode()


@pytest.mark.usefixtures("queries_in_process")
def test_a_filter_and_words_look_through_the_filtered_ones_only(
    client: Client, alice: User, pictures: list[Asset], attic: Collection
) -> None:
    Asset.objects.filter(pk=pictures[4].pk).update(collection=attic)
    client.force_login(alice)
    assert shown(client, "?q=something&collection=attic") == [pictures[4]]


@pytest.mark.usefixtures("queries_in_process")
def test_the_trash_is_out_of_sight_until_asked_for_and_can_be_searched(
    client: Client, alice: User, pictures: list[Asset]
) -> None:
    trash(Asset.objects.filter(pk=pictures[0].pk))
    client.force_login(alice)
    assert pictures[0] not in shown(client)
    assert shown(client, "?trash=only") == [pictures[0]]
    assert shown(client, "?trash=only&q=something") == [pictures[0]]


def test_the_sheet_asks_as_many_questions_for_five_pictures_as_for_one(
    client: Client, alice: User, pictures: list[Asset]
) -> None:
    client.force_login(alice)
    client.get(SHEET)
    with CaptureQueriesContext(connection) as few:
        assert len(shown(client, "?q=red.jpg")) == 1
    with CaptureQueriesContext(connection) as many:
        assert len(shown(client, "?status__exact=ready")) == 5
    # Finding one by its name is itself one question.
    assert len(many) == len(few) - 1
    assert not any("archive_embedding" in query["sql"] or '"exif"' in query["sql"] for query in many)


def test_trash_and_restore_are_shown_done_and_undone(client: Client, alice: User, pictures: list[Asset]) -> None:
    client.force_login(alice)
    asked = client.post(SHEET, {"action": "trash", "index": "0", "_selected_action": [a.pk for a in pictures[:2]]})
    assert "Trash: 2 assets" in asked.content.decode()
    assert not Asset.objects.filter(trashed_at__isnull=False).exists()
    trashing = order(client, "trash", pictures[:2])
    assert (trashing.done, trashing.what) == (2, "2 chosen pictures")
    assert Asset.objects.filter(trashed_at__isnull=False).count() == 2
    assert order(client, "restore", pictures[:1], "?trash=only").done == 1
    assert list(Asset.objects.filter(trashed_at__isnull=False)) == [pictures[1]]
    undo(trashing)
    drain_batches()
    assert not Asset.objects.filter(trashed_at__isnull=False).exists()


def test_tags_are_put_on_all_that_a_filter_leaves(
    client: Client, alice: User, pictures: list[Asset], attic: Collection
) -> None:
    Asset.objects.filter(pk=pictures[4].pk).update(collection=attic)
    client.force_login(alice)
    batch = order(client, "tag", pictures[:1], "?collection=harbour", select_across="1", tags="boat, sea")
    assert (batch.done, batch.what) == (4, "In the admin: collection harbour")
    assert [[tag.name for tag in tags_of(a)] for a in pictures] == [["boat", "sea"]] * 4 + [[]]
    assert set(shown(client, "?tag=BOAT")) == set(pictures[:4])
    assert shown(client, "?tag=nothing") == []
    undo(batch)
    drain_batches()
    assert shown(client, "?tag=boat") == []


def test_nothing_is_done_to_another_set_than_the_one_that_was_shown(
    client: Client, alice: User, pictures: list[Asset]
) -> None:
    client.force_login(alice)
    data = {"action": "trash", "_selected_action": [pictures[0].pk], "select_across": "1"}
    token = client.post(SHEET, {**data, "index": "0"}).context["set"].token
    trash(Asset.objects.filter(pk=pictures[4].pk))
    refused = client.post(SHEET, {**data, "confirmed": "yes", "expected": token})
    assert "what you looked at changed meanwhile, to 4 now" in refused.content.decode()
    assert not Batch.objects.exists()
    untagged = client.post(SHEET, {**data, "action": "tag", "confirmed": "yes", "tags": " , "})
    assert "Name at least one tag." in untagged.content.decode()


def test_encode_again_sets_the_vectors_to_be_made_anew(client: Client, alice: User, pictures: list[Asset]) -> None:
    client.force_login(alice)
    assert "3 vectors are made again." in act(client, "encode_again", pictures[:3])
    assert Work.objects.filter(step="encode", state=WorkState.READY).count() == 3


def test_failed_ones_are_tried_again(
    client: Client, alice: User, harbour: Collection, pictures: list[Asset], tmp_path: Path
) -> None:
    half = upload(harbour, make_jpeg(tmp_path, "half.jpg", "pink"))
    Work.objects.filter(asset=half).update(state=WorkState.QUARANTINED, last_error="It ends too early.")
    settle([half.pk])
    client.force_login(alice)
    assert "1 failed asset is tried again." in act(client, "retry", [half, *pictures])
    half.refresh_from_db()
    assert half.status == Status.PENDING
    assert Work.objects.get(asset=half).state == WorkState.READY
    assert not Work.objects.filter(state=WorkState.READY).exclude(asset=half).exists()


def test_moving_asks_where_to_and_leaves_what_is_there_already(
    client: Client, alice: User, attic: Collection, pictures: list[Asset]
) -> None:
    make_twin(pictures[0], attic)
    client.force_login(alice)
    batch = order(client, "move", pictures, collection="ATTIC")
    assert (batch.done, batch.skipped) == (4, 1)
    assert Asset.objects.filter(collection=attic).count() == 5
    assert list(Asset.objects.exclude(collection=attic)) == [pictures[0]]


def test_select_all_acts_on_the_query_and_not_on_the_page(
    client: Client, alice: User, pictures: list[Asset], attic: Collection
) -> None:
    Asset.objects.filter(pk=pictures[4].pk).update(collection=attic)
    client.force_login(alice)
    everything = {"select_across": "1", "found_by": By.EVERYTHING.value}
    assert order(client, "trash", pictures[:1], "?collection=harbour", **everything).done == 4
    assert list(Asset.objects.filter(trashed_at__isnull=True)) == [pictures[4]]


def test_select_all_is_refused_when_the_search_answers_differently_meanwhile(
    client: Client, alice: User, pictures: list[Asset], settings: Any
) -> None:
    settings.SIGHTLINE_QUERY_TIMEOUT = 0.2  # the page was ranked; now nobody ranks
    client.force_login(alice)
    said = act(client, "trash", pictures[:1], "?q=red", select_across="1", found_by=By.NEAREST.value)
    assert "Nothing was changed" in said
    assert not Asset.objects.filter(trashed_at__isnull=False).exists()


def test_an_action_on_chosen_pictures_needs_no_search(
    client: Client, alice: User, pictures: list[Asset], settings: Any
) -> None:
    settings.SIGHTLINE_QUERY_TIMEOUT = 0.2
    client.force_login(alice)
    assert order(client, "trash", pictures[:1], "?q=nothing-like-it").done == 1


def test_staff_see_what_their_collections_show_and_change_what_they_curate(
    client: Client, dora: User, alice: User, pictures: list[Asset], attic: Collection
) -> None:
    hidden = Collection.objects.create(slug="hidden", name="Hidden", owner=alice)
    Asset.objects.filter(pk=pictures[0].pk).update(collection=hidden)
    Asset.objects.filter(pk=pictures[1].pk).update(collection=attic)
    Membership.objects.create(collection=attic, user=dora, role=Role.VIEWER)
    Membership.objects.create(collection=pictures[2].collection, user=dora, role=Role.CURATOR)
    client.force_login(dora)
    assert set(shown(client)) == set(pictures[1:])
    assert client.get(f"{SHEET}{pictures[0].pk}/change/").status_code == 302
    assert 'name="title"' not in client.get(f"{SHEET}{pictures[1].pk}/change/").content.decode()
    assert 'name="title"' in client.get(f"{SHEET}{pictures[2].pk}/change/").content.decode()

    asked = client.post(SHEET, {"action": "trash", "index": "0", "_selected_action": [a.pk for a in pictures[:3]]})
    assert "1 of the chosen asset is left alone" in asked.content.decode()
    assert order(client, "trash", pictures[:3]).done == 1
    assert list(Asset.objects.filter(trashed_at__isnull=False)) == [pictures[2]]

    data = {"action": "move", "_selected_action": [pictures[3].pk], "collection": "attic", "confirmed": "yes"}
    assert "You curate no collection of this name" in client.post(SHEET, data).content.decode()
    pictures[3].refresh_from_db()
    assert pictures[3].collection.slug == "harbour"


def test_the_page_of_an_asset_keeps_what_a_curator_writes(
    client: Client, alice: User, pictures: list[Asset], attic: Collection
) -> None:
    client.force_login(alice)
    page = f"{SHEET}{pictures[0].pk}/change/"
    Asset.objects.filter(pk=pictures[0].pk).update(width=320, height=240, exif={"Model": "EOS R6"})
    html = client.get(page).content.decode()
    assert pictures[0].preview_url in html
    assert "EOS R6" in html
    assert f"?q=like:{pictures[0].uuid}" in html
    data = {
        "title": "The old harbour",
        "caption": "At noon",
        "collection": "Attic",
        "taken_at_0": "2024-05-01",
        "taken_at_1": "12:30:00",
        "place": "Volendam",
        "tag_names": "boat, Old harbour",
        **EMPTY_TABLES,
    }
    assert client.post(page, data).status_code == 302
    pictures[0].refresh_from_db()
    assert (pictures[0].title, pictures[0].place, pictures[0].collection) == ("The old harbour", "Volendam", attic)
    assert [tag.name for tag in tags_of(pictures[0])] == ["boat", "Old harbour"]
    assert pictures[0].taken_at is not None
    assert pictures[0].taken_at.year == 2024


def test_an_asset_cannot_be_put_where_the_same_picture_is(
    client: Client, alice: User, pictures: list[Asset], attic: Collection
) -> None:
    make_twin(pictures[0], attic)
    client.force_login(alice)
    data = {"collection": attic.slug, **EMPTY_TABLES}
    refused = client.post(f"{SHEET}{pictures[0].pk}/change/", data)
    assert "Attic has this very picture already." in refused.content.decode()


def test_nothing_is_added_or_deleted_here(client: Client, alice: User, pictures: list[Asset]) -> None:
    client.force_login(alice)
    assert client.get(f"{SHEET}add/").status_code == 403
    assert client.post(f"{SHEET}{pictures[0].pk}/delete/", {"post": "yes"}).status_code == 403
    assert "delete_selected" not in client.get(SHEET).content.decode()


def test_words_among_what_no_asset_can_be_find_nothing(
    client: Client, alice: User, pictures: list[Asset], queries_in_process: None
) -> None:
    client.force_login(alice)
    assert client.get(f"{SHEET}?id=99999999999999999999&q=red").status_code == 200


def test_saving_an_asset_leaves_what_a_worker_wrote_meanwhile(
    client: Client, alice: User, pictures: list[Asset], monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = pictures[0]
    Asset.objects.filter(pk=asset.pk).update(status=Status.PENDING)
    clean = AssetForm.clean_collection

    def clean_while_a_worker_ends(form: AssetForm) -> Collection:
        Asset.objects.filter(pk=asset.pk).update(status=Status.READY)
        return clean(form)

    monkeypatch.setattr(AssetForm, "clean_collection", clean_while_a_worker_ends)
    client.force_login(alice)
    fields = {"title": "Boat", "caption": "", "collection": asset.collection.slug, "place": ""}
    answer = client.post(f"{SHEET}{asset.pk}/change/", {**fields, **EMPTY_TABLES, "taken_at_0": "", "taken_at_1": ""})
    assert answer.status_code == 302
    assert Asset.objects.values_list("title", "status").get(pk=asset.pk) == ("Boat", Status.READY)


# ---- pages -------------------------------------------------------------------------------------


def test_pages_go_on_where_the_last_one_ended_whatever_comes_in(
    client: Client, alice: User, pictures: list[Asset], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AssetAdmin, "list_per_page", 2)
    client.force_login(alice)
    everything = list(Asset.objects.order_by("-added_at", "-id"))
    first = client.get(SHEET).context["cl"]
    assert (list(first.result_list), first.newer) == (everything[:2], "")
    make_twin(pictures[0], Collection.objects.create(slug="attic", name="Attic", owner=alice))  # comes in meanwhile
    second = client.get(SHEET + first.older).context["cl"]
    third = client.get(SHEET + second.older).context["cl"]
    assert [*second.result_list, *third.result_list] == everything[2:]
    assert third.older == ""
    assert list(client.get(SHEET + third.newer).context["cl"].result_list) == everything[2:4]
    last = client.get(SHEET + first.oldest).context["cl"]
    assert (list(last.result_list), last.older) == (everything[3:], "")
    narrowed = client.get(f"{SHEET}{first.older}&status__exact=ready").context["cl"]
    assert "after" not in narrowed.filter_specs[0].choices(narrowed).__next__()["query_string"]


@pytest.mark.parametrize("place", ["x", "1_2", "2024-01-01_1", "2024-01-01T00:00:00+00:00_99999999999999999999", "_"])
def test_a_place_that_is_none_is_the_first_page(client: Client, alice: User, place: str) -> None:
    client.force_login(alice)
    for name in ("after", "before"):
        assert client.get(SHEET, {name: place})["Location"] == f"{SHEET}?e=1"


# ---- tags on cards -----------------------------------------------------------------------------


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


# ---- history -----------------------------------------------------------------------------------


def test_the_history_tells_who_changed_what(client: Client, alice: User, dora: User, pictures: list[Asset]) -> None:
    client.force_login(alice)
    order(client, "tag", pictures[:2], tags="boat")
    act(client, "encode_again", pictures[:3])
    seen = client.get("/admin/history/").content.decode()
    for said in ("Tag “boat”", "2 chosen pictures", "“boat” put on", "3 vectors are made again.", "alice"):
        assert said in seen
    assert "Tag “boat”" in client.get(f"{SHEET}{pictures[0].pk}/history/").content.decode()
    assert "Tag “boat”" not in client.get(f"{SHEET}{pictures[2].pk}/history/").content.decode()
    client.force_login(dora)
    theirs = client.get("/admin/history/").content.decode()
    assert "boat" not in theirs
    assert client.get("/admin/history/", {"before": "yesterday"}).status_code == 404


def test_every_list_asks_as_many_questions_for_many_rows_as_for_few(
    client: Client, alice: User, harbour: Collection, fake_space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of every model in the admin, with more tags, members, log entries and collections too."""
    client.force_login(alice)
    lists = [f"/admin/{m._meta.app_label}/{m._meta.model_name}/" for m in admin.site._registry]
    lists += ["/admin/archive/work/?state=all", "/admin/history/", "/admin/"]

    def questions(address: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200, address
        return len(asked)

    def add(number: int) -> None:
        place = Collection.objects.create(slug=f"place-{number}", name=f"Place {number}", owner=alice)
        Membership.objects.create(collection=place, user=make_user(f"user {number}"), role=Role.CURATOR)
        made = make_pictures(place, fake_space)
        add_tags(Asset.objects.filter(pk__in=[a.pk for a in made]), [f"tag {number}", f"other {number}"], alice)
        Work.objects.filter(asset=made[0]).update(state=WorkState.QUARANTINED)
        order(client, "trash", made[:1])
        client.post(f"{SHEET}{made[1].pk}/tags/", {f"add-{made[1].pk}": f"quick {number}"})

    add(1)
    for address in lists:
        questions(address)  # what is kept for ever after the first time
    few = {address: questions(address) for address in lists}
    for number in range(2, 5):
        add(number)
    assert {address: questions(address) for address in lists} == few

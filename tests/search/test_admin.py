"""The contact sheet: found by what pictures show, acted on in one go, and only where one curates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from archive.models import Asset, Collection, Membership, Role, Space, Status, Step, Work, WorkState
from archive.readiness import settle
from archive.tags import tags_of
from archive.trash import trash
from search.admin.forms import AssetForm
from search.finding import By, find_assets
from tests.cast import make_jpeg, make_user, upload
from tests.prepared import make_encoded, random_rows

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


def test_trash_and_restore_say_how_many(client: Client, alice: User, pictures: list[Asset]) -> None:
    client.force_login(alice)
    assert "2 assets lie in the trash now." in act(client, "trash", pictures[:2])
    assert Asset.objects.filter(trashed_at__isnull=False).count() == 2
    assert "1 asset is back from the trash." in act(client, "restore", pictures[:1], "?trash=only")
    assert list(Asset.objects.filter(trashed_at__isnull=False)) == [pictures[1]]


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
    chosen = {"action": "move", "_selected_action": [a.pk for a in pictures]}
    asked = client.post(SHEET, {**chosen, "index": "0"})
    assert "Move 5 assets to" in asked.content.decode()
    assert not Asset.objects.filter(collection=attic, filename="blue.jpg").exists()
    done = client.post(SHEET, {**chosen, "collection": attic.pk}, follow=True)
    assert "4 assets were moved to Attic. 1 stayed: Attic has the same picture already." in done.content.decode()
    assert Asset.objects.filter(collection=attic).count() == 5
    assert list(Asset.objects.exclude(collection=attic)) == [pictures[0]]


def test_select_all_acts_on_the_query_and_not_on_the_page(
    client: Client, alice: User, pictures: list[Asset], attic: Collection
) -> None:
    Asset.objects.filter(pk=pictures[4].pk).update(collection=attic)
    client.force_login(alice)
    said = act(client, "trash", pictures[:1], "?collection=harbour", select_across="1", found_by=By.EVERYTHING.value)
    assert "4 assets lie in the trash now." in said
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
    assert "1 asset lies in the trash now." in act(client, "trash", pictures[:1], "?q=nothing-like-it")


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

    said = act(client, "trash", pictures[:3])
    assert "1 asset lies in the trash now." in said
    assert "1 asset was left alone: you do not curate where they are." in said
    assert list(Asset.objects.filter(trashed_at__isnull=False)) == [pictures[2]]

    client.post(SHEET, {"action": "move", "_selected_action": [pictures[3].pk], "collection": attic.pk})
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
        "collection": attic.pk,
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
    data = {"collection": attic.pk, **EMPTY_TABLES}
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
    fields = {"title": "Boat", "caption": "", "collection": asset.collection_id, "place": ""}
    answer = client.post(f"{SHEET}{asset.pk}/change/", {**fields, **EMPTY_TABLES, "taken_at_0": "", "taken_at_1": ""})
    assert answer.status_code == 302
    assert Asset.objects.values_list("title", "status").get(pk=asset.pk) == ("Boat", Status.READY)

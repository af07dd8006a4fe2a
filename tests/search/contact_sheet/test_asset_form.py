"""The page of one asset in the admin: what a curator writes there."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from archive.models import Asset, Collection, Status
from archive.tags import tags_of
from search.admin.forms import AssetForm
from tests.search.contact_sheet.sheet import EMPTY_TABLES, SHEET, make_twin


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

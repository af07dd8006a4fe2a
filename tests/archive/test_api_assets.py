"""One asset in the JSON API: its bytes, its words, the trash, and moving it."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from archive.models import Asset, Collection, Membership, Role, Space
from tests import pictures
from tests.api import client_of, error_of, send
from tests.cast import make_jpeg, upload
from workers.encode import drain_encode
from workers.prepare import drain_prepare

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_prepared_asset_links_to_bytes_that_its_token_opens(
    harbour: Collection, bob: User, visitor: User, fake_space: Space
) -> None:
    data = pictures.jpeg(pictures.distinct(5))
    made = send(client_of(bob), data).json()
    assert made["thumbnail"] is None
    drain_prepare()
    drain_encode()
    client = client_of(bob)
    found = client.get(f"/api/v1/assets/{made['asset']}").json()
    assert (found["status"], found["width"], found["height"]) == ("ready", 320, 240)
    original = client.get(found["original"])
    assert b"".join(original.streaming_content) == data  # type: ignore[attr-defined]
    for link in ("thumbnail", "preview"):
        picture = client.get(found[link], headers={"Accept": "image/webp"})
        assert (picture.status_code, picture.headers["Content-Type"]) == (200, "image/webp")
        assert client_of(visitor).get(found[link]).status_code == 404
    assert client_of(visitor).get(found["original"]).status_code == 404
    refused = APIClient().get(found["original"])
    assert (refused.status_code, error_of(refused)["code"]) == (401, "not_authenticated")


def test_what_one_may_not_see_is_a_404_whatever_one_asks(
    harbour: Collection, bob: User, visitor: User, tmp_path: Path
) -> None:
    asset = upload(harbour, make_jpeg(tmp_path, "red.jpg", "red"), bob)
    client = client_of(visitor)
    for address in (f"/api/v1/assets/{asset.uuid}", f"/api/v1/assets/{uuid.uuid4()}", "/api/v1/assets/no-uuid"):
        for method in (client.get, client.patch, client.delete):
            answer = method(address)
            assert (answer.status_code, error_of(answer)["code"]) == (404, "not_found"), address
    asset.refresh_from_db()
    assert asset.trashed_at is None


def test_who_sees_but_does_not_curate_may_not_change(harbour: Collection, bob: User, tmp_path: Path) -> None:
    asset = upload(harbour, make_jpeg(tmp_path, "red.jpg", "red"), bob)
    client = client_of(bob)
    for answer in (
        client.patch(f"/api/v1/assets/{asset.uuid}", {"title": "Mine"}, format="json"),
        client.delete(f"/api/v1/assets/{asset.uuid}"),
    ):
        assert (answer.status_code, error_of(answer)["code"]) == (403, "permission_denied")
    asset.refresh_from_db()
    assert (asset.title, asset.trashed_at) == ("", None)


def test_a_curator_changes_words_trashes_and_brings_back(
    harbour: Collection, bob: User, visitor: User, tmp_path: Path
) -> None:
    Membership.objects.create(collection=harbour, user=visitor, role=Role.CURATOR)
    asset = upload(harbour, make_jpeg(tmp_path, "red.jpg", "red"), bob)
    client, address = client_of(visitor), f"/api/v1/assets/{asset.uuid}"
    changed = client.patch(address, {"title": "Red", "owner": "visitor", "sha256": "0"}, format="json").json()
    assert (changed["title"], changed["sha256"]) == ("Red", asset.sha256)
    assert client.delete(address).status_code == 204
    assert client.get("/api/v1/assets").json()["results"] == []
    assert client_of(bob).get(address).status_code == 404
    assert client.get(address).json()["trashed"] is True
    assert client.patch(address, {"trashed": False}, format="json").json()["trashed"] is False
    assert client_of(bob).get(address).status_code == 200


def test_an_asset_moves_only_to_where_one_may_add_and_never_onto_its_twin(
    harbour: Collection, alice: User, bob: User, visitor: User, tmp_path: Path
) -> None:
    Membership.objects.create(collection=harbour, user=visitor, role=Role.CURATOR)
    asset = upload(harbour, make_jpeg(tmp_path, "red.jpg", "red"), bob)
    Collection.objects.create(slug="closed", name="Closed", owner=alice)
    mine = Collection.objects.create(slug="mine", name="Mine", owner=visitor)
    client, address = client_of(visitor), f"/api/v1/assets/{asset.uuid}"
    closed = client.patch(address, {"collection": "closed"}, format="json")
    assert (closed.status_code, set(error_of(closed)["fields"])) == (400, {"collection"})
    twin = upload(mine, make_jpeg(tmp_path, "red.jpg", "red"), visitor)
    onto = client.patch(address, {"collection": "mine", "title": "Lost"}, format="json")
    assert (onto.status_code, error_of(onto)["code"]) == (409, "already_there")
    asset.refresh_from_db()
    assert (asset.title, asset.collection) == ("", harbour)
    Asset.objects.filter(pk=twin.pk).delete()
    assert client.patch(address, {"collection": "mine"}, format="json").json()["collection"] == "mine"

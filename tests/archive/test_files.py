"""Thumbnails, previews and originals: who gets the bytes, and what a browser may do with them."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from archive.models import Asset, Collection, Space
from archive.trash import trash
from tests.cast import make_jpeg, upload
from workers.encode import drain_encode
from workers.prepare import drain_prepare

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def red(harbour: Collection, bob: User, fake_space: Space, tmp_path: Path) -> Asset:
    asset = upload(harbour, make_jpeg(tmp_path, "Möwe “rot”.jpg", "red"), bob)
    drain_prepare()
    drain_encode()
    asset.refresh_from_db()
    return asset


def addresses(asset: Asset) -> list[str]:
    return [asset.thumbnail_url, asset.preview_url, asset.original_url]


def test_a_member_gets_thumbnail_preview_and_original(red: Asset, bob: User, client: Client, tmp_path: Path) -> None:
    client.force_login(bob)
    answers = [client.get(address) for address in addresses(red)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert [answer["Content-Type"] for answer in answers] == ["image/webp", "image/webp", "image/jpeg"]
    assert b"".join(answers[2]) == (tmp_path / "Möwe “rot”.jpg").read_bytes()


def test_a_stranger_gets_a_404_as_if_there_were_nothing(red: Asset, visitor: User, client: Client) -> None:
    client.force_login(visitor)
    assert {client.get(address).status_code for address in [*addresses(red), red.get_absolute_url()]} == {404}


def test_somebody_who_is_not_logged_in_is_sent_to_the_log_in(red: Asset, client: Client) -> None:
    for address in [*addresses(red), red.get_absolute_url()]:
        assert client.get(address)["Location"].startswith("/login/")


def test_every_file_is_inert(red: Asset, bob: User, client: Client) -> None:
    client.force_login(bob)
    for address in addresses(red):
        answer = client.get(address)
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer["Cache-Control"].startswith("private")


def test_an_original_is_saved_under_its_own_name_and_never_opened(red: Asset, bob: User, client: Client) -> None:
    client.force_login(bob)
    disposition = client.get(red.original_url)["Content-Disposition"]
    assert disposition.startswith("attachment; filename*=utf-8''M%C3%B6we%20")


@pytest.mark.parametrize("name", ['a"; evil="b.jpg', "line\r\nSet-Cookie: x=1.jpg", "../../etc/passwd", "..\\boot.ini"])
def test_odd_names_stay_inside_their_header(red: Asset, bob: User, client: Client, name: str) -> None:
    Asset.objects.filter(pk=red.pk).update(filename=name)
    client.force_login(bob)
    answer = client.get(red.original_url)
    assert answer.status_code == 200
    assert not {"\r", "\n"} & set(answer["Content-Disposition"])
    assert "Set-Cookie" not in answer
    assert answer["Content-Disposition"].startswith("attachment; filename")


def test_a_browser_that_has_the_bytes_is_told_so(red: Asset, bob: User, client: Client) -> None:
    client.force_login(bob)
    for address in addresses(red):
        tag = client.get(address)["ETag"]
        again = client.get(address, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
        assert client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_known_tag_opens_no_door_for_a_stranger(red: Asset, bob: User, visitor: User, client: Client) -> None:
    client.force_login(bob)
    tag = client.get(red.thumbnail_url)["ETag"]
    client.force_login(visitor)
    assert client.get(red.thumbnail_url, headers={"If-None-Match": tag}).status_code == 404


def test_renditions_for_machines_and_unknown_ones_are_not_served(red: Asset, bob: User, client: Client) -> None:
    client.force_login(bob)
    assert red.renditions.filter(spec="encoder").exists()
    assert client.get(f"{red.get_absolute_url()}encoder/").status_code == 404
    assert client.get(f"{red.get_absolute_url()}poster/").status_code == 404


def test_what_lies_in_the_trash_is_seen_by_its_curators_only(
    red: Asset, alice: User, bob: User, client: Client
) -> None:
    trash(Asset.objects.filter(pk=red.pk))
    client.force_login(bob)
    assert {client.get(address).status_code for address in addresses(red)} == {404}
    client.force_login(alice)
    assert {client.get(address).status_code for address in addresses(red)} == {200}

"""The search page, with the real engine and the encoder without meaning."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from archive.models import Asset, Collection, Space
from search import engine
from search.failures import EncoderUnavailable
from tests.cast import make_jpeg, upload
from workers.encode import drain_encode
from workers.prepare import drain_prepare

pytestmark = pytest.mark.django_db(transaction=True)

COLOURS = ("red", "green", "blue", "yellow", "white", "black")


@pytest.fixture
def colours(harbour: Collection, bob: User, fake_space: Space, tmp_path: Path) -> list[Asset]:
    assets = [upload(harbour, make_jpeg(tmp_path, f"{colour}.jpg", colour), bob) for colour in COLOURS]
    drain_prepare()
    drain_encode()
    return assets


def names(response: Any) -> list[str]:
    return [hit.asset.filename for hit in response.context["answer"].hits]


def count_queries(client: Client, address: str, **headers: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address, headers=headers).status_code == 200
    return len(queries)


def test_nothing_asked_browses_the_newest(colours: list[Asset], bob: User, client: Client) -> None:
    client.force_login(bob)
    response = client.get("/")
    assert names(response) == [f"{colour}.jpg" for colour in reversed(COLOURS)]
    assert "Newest first" in response.content.decode()


def test_words_put_the_closest_first(colours: list[Asset], bob: User, queries_in_process: None, client: Client) -> None:
    client.force_login(bob)
    response = client.get("/?q=something+blue")
    assert names(response)[0] == "blue.jpg"
    assert len(names(response)) == len(COLOURS)
    assert 'value="something blue"' in response.content.decode()


def test_a_stranger_sees_an_archive_without_pictures(
    colours: list[Asset], visitor: User, queries_in_process: None, client: Client
) -> None:
    client.force_login(visitor)
    assert "No pictures yet" in client.get("/").content.decode()
    page = client.get("/?q=blue").content.decode()
    assert "Nothing found" in page
    assert ".jpg" not in page
    assert "Harbour" not in page


def test_more_like_this_starts_from_what_one_may_see(
    colours: list[Asset], bob: User, visitor: User, client: Client
) -> None:
    client.force_login(bob)
    response = client.get(f"/?like={colours[0].uuid}")
    assert response.status_code == 200
    assert "red.jpg" not in names(response)
    client.force_login(visitor)
    assert client.get(f"/?like={colours[0].uuid}").status_code == 404
    assert client.get(f"/similar/{colours[0].uuid}/", headers={"HX-Request": "true"}).status_code == 404


def test_the_strip_of_similar_ones_is_a_part_of_a_page(colours: list[Asset], bob: User, client: Client) -> None:
    client.force_login(bob)
    part = client.get(f"/similar/{colours[0].uuid}/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert part.count('class="hit') == len(COLOURS) - 1
    plain = client.get(f"/similar/{colours[0].uuid}/")
    assert plain["Location"] == f"/?like={colours[0].uuid}"


def test_a_reference_picture_finds_its_like_and_keeps_the_filters(
    colours: list[Asset], bob: User, visitor: User, queries_in_process: None, client: Client, tmp_path: Path
) -> None:
    picture = SimpleUploadedFile("mine.jpg", make_jpeg(tmp_path, "mine.jpg", "green", (400, 300)).read_bytes())
    client.force_login(bob)
    sent = client.post("/search/picture/?collection=harbour", {"picture": picture})
    address = sent["Location"]
    assert address.startswith("/?picture=")
    assert "collection=harbour" in address
    response = client.get(address)
    assert names(response)[0] == "green.jpg"
    shown = f"/search/picture/{response.context['query'].picture}/"
    assert client.get(shown)["Content-Type"] == "image/webp"
    client.force_login(visitor)
    assert client.get(shown).status_code == 404


@pytest.mark.parametrize(("content", "status"), [(b"this is not a picture", 415), (None, 400)])
def test_what_is_no_picture_is_refused_in_words(
    fake_space: Space, bob: User, client: Client, content: bytes | None, status: int
) -> None:
    client.force_login(bob)
    data = {"picture": SimpleUploadedFile("x.jpg", content)} if content else {}
    answer = client.post("/search/picture/", data)
    assert answer.status_code == status
    assert "That picture cannot be used" in answer.content.decode()
    assert not Asset.objects.exists()


def test_a_film_larger_than_pictures_may_be_is_no_reference_picture(
    fake_space: Space, bob: User, client: Client, settings: Any
) -> None:
    """Videos may be far larger than pictures, but not here."""
    settings.SIGHTLINE_UPLOAD_LIMIT = 1000
    film = b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + bytes(5000)
    client.force_login(bob)
    answer = client.post("/search/picture/", {"picture": SimpleUploadedFile("x.jpg", film)})
    assert answer.status_code == 415
    assert "This is a video (MP4), and a picture is asked for" in answer.content.decode()


def test_filters_keep_what_was_asked(
    colours: list[Asset], alice: User, queries_in_process: None, client: Client, tmp_path: Path
) -> None:
    cove = Collection.objects.create(slug="cove", name="Cove", owner=alice)
    upload(cove, make_jpeg(tmp_path, "cove.jpg", "blue", (321, 240)), alice)
    drain_prepare()
    drain_encode()
    client.force_login(alice)
    response = client.get("/?q=blue&collection=cove")
    assert names(response) == ["cove.jpg"]
    page = response.content.decode()
    assert '<input type="hidden" name="collection" value="cove">' in page
    assert "/?q=blue&amp;collection=harbour" in page


def test_pages_follow_each_other_without_a_script(colours: list[Asset], bob: User, client: Client) -> None:
    client.force_login(bob)
    seen, address = [], "/?limit=4"
    while address:
        response = client.get(address)
        seen += names(response)
        address = response.context["next"]
    assert seen == [f"{colour}.jpg" for colour in reversed(COLOURS)]


def test_htmx_gets_the_next_hits_and_nothing_else(colours: list[Asset], bob: User, client: Client) -> None:
    client.force_login(bob)
    response = client.get("/?limit=4&offset=4", headers={"HX-Request": "true"})
    part = response.content.decode()
    assert "<html" not in part
    assert part.count('class="hit') == 2
    assert 'hx-swap-oob="true"' in part
    assert "HX-Request" in response["Vary"]


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_a_page_costs_the_same_however_many_hits_it_has(
    colours: list[Asset], bob: User, queries_in_process: None, client: Client, headers: dict[str, str]
) -> None:
    client.force_login(bob)
    client.get("/?q=red")  # the words are encoded once
    for address in ("/?q=red&limit={}", "/?limit={}"):
        assert count_queries(client, address.format(1), **headers) == count_queries(
            client, address.format(6), **headers
        )


def test_senseless_parameters_are_answered_in_words(bob: User, client: Client) -> None:
    client.force_login(bob)
    response = client.get("/?from=yesterday&like=7")
    assert response.status_code == 400
    page = response.content.decode()
    assert "Write a date as" in page
    assert "not the id of an asset" in page


def test_without_the_encoder_the_page_says_what_still_works(
    colours: list[Asset], bob: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*args: Any) -> Any:
        raise EncoderUnavailable

    monkeypatch.setattr(engine, "encode_terms", unavailable)
    client.force_login(bob)
    response = client.get("/?q=lilac")
    assert response.status_code == 503
    assert "What works meanwhile" in response.content.decode()
    said = client.get("/?q=blue")  # the file name says so
    assert names(said) == ["blue.jpg"]
    assert "by what is written about them alone" in said.content.decode()
    part = client.get("/?q=lilac&offset=60", headers={"HX-Request": "true"}).content.decode()
    assert "Try again" in part
    assert "<html" not in part


def test_hostile_words_come_back_as_words(
    fake_space: Space, bob: User, queries_in_process: None, client: Client
) -> None:
    client.force_login(bob)
    page = client.get("/", {"q": '"><script>alert(1)</script>'}).content.decode()
    assert "<script>alert" not in page


def test_the_small_model_says_what_it_knows(colours: list[Asset], fake_space: Space, bob: User, client: Client) -> None:
    Space.objects.filter(pk=fake_space.pk).update(knows="This small model knows drawings only.")
    client.force_login(bob)
    page = client.get("/").content.decode()
    assert "This small model knows drawings only." in page
    assert "/help/models/" in page


def test_what_is_not_ready_has_a_calm_place_instead_of_a_broken_picture(
    harbour: Collection, bob: User, fake_space: Space, client: Client, tmp_path: Path
) -> None:
    upload(harbour, make_jpeg(tmp_path, "red.jpg", "red"), bob)
    client.force_login(bob)
    page = client.get("/").content.decode()
    assert "is being prepared" in page
    assert "/thumbnail/" not in page

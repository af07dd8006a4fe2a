"""Curators ask in a space of their choice, and compare two on one page; for others there is the searched one."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from PIL import Image
from rest_framework.authtoken.models import Token

from archive.models import Asset, Collection, Space
from archive.spaces import activate, backfill
from search.engine import search
from search.failures import NotForYou
from search.query import BadQuery, Query
from search.side_by_side import compare
from tests.prepared import make_prepared
from workers import queries
from workers.encode import drain_encode
from workers.encoders.load import encoder_of
from workers.encoders.protocol import Encoder, EncoderRefused
from workers.spaces import make_space

pytestmark = pytest.mark.django_db(transaction=True)

COLOURS = ("red", "lime", "blue")


@pytest.fixture
def assets(harbour: Collection, fake_space: Space) -> list[Asset]:
    """In the other space every picture counts as of the next colour: it is wrong, and may be compared."""
    made = [
        make_prepared(harbour, Image.new("RGB", (64 + i, 48), colour), fake_space, name=f"{colour}.jpg")
        for i, colour in enumerate(COLOURS)
    ]
    drain_encode()
    other = make_space("other", "fake", "x")
    backfill(other)
    drain_encode()
    return made


def test_a_curator_asks_in_a_space_of_choice(
    assets: list[Asset], alice: User, bob: User, queries_in_process: None
) -> None:
    assert search(Query(text="red"), alice).space == "fake"
    there = search(Query(text="red", space="other"), alice)
    assert (there.space, there.hits[0].asset.filename) == ("other", "red.jpg")
    with pytest.raises(NotForYou, match="Only curators"):
        search(Query(text="red", space="other"), bob)
    with pytest.raises(NotForYou):
        search(Query(space="other"), bob)
    with pytest.raises(BadQuery, match="There are: fake, other"):
        search(Query(text="red", space="nothing"), alice)


def test_the_page_stays_in_the_space_and_offers_the_way_back(
    assets: list[Asset], alice: User, queries_in_process: None, client: Client
) -> None:
    client.force_login(alice)
    page = client.get("/?q=red&space=other")
    assert page.context["answer"].space == "other"
    html = page.content.decode()
    assert '<input type="hidden" name="space" value="other">' in html
    assert "In other" in html
    assert "/compare/?q=red" in html
    assert "no space" not in html.lower()


def test_others_are_refused_in_words(assets: list[Asset], bob: User, client: Client) -> None:
    client.force_login(bob)
    for address in ("/?q=red&space=other", "/compare/?q=red"):
        refused = client.get(address)
        assert refused.status_code == 403
        assert "Only curators choose the model" in refused.content.decode()
    headers = {"Authorization": f"Token {Token.objects.create(user=bob).key}"}
    told = client.get("/api/v1/search?q=red&space=other", headers=headers)
    assert (told.status_code, told.json()["error"]["code"]) == (403, "not_for_you")


def test_two_spaces_answer_one_question_side_by_side(
    assets: list[Asset], alice: User, queries_in_process: None, client: Client
) -> None:
    client.force_login(alice)
    page = client.get("/compare/?q=red")
    found = page.context["found"]
    assert (found.left.space.slug, found.right.space.slug) == ("fake", "other")
    assert (found.shared, found.most) == (3, 3)
    assert "3 of the first 3 are found by both" in page.content.decode()
    turned = client.get("/compare/?q=red&space=other&against=fake&kind=photo")
    assert turned.context["found"].left.space.slug == "other"
    assert '<input type="hidden" name="kind" value="photo">' in turned.content.decode()


def test_what_one_finds_alone_is_marked(assets: list[Asset], alice: User, queries_in_process: None) -> None:
    late = make_prepared(assets[0].collection, Image.new("RGB", (99, 48), "red"), Space.objects.get(slug="fake"))
    drain_encode()
    found = compare(Query(text="red"), "fake", "other", alice)
    alone = [seen.hit.asset for seen in found.left.beside(found.right) if seen.there is None]
    assert alone == [late]
    assert all(seen.there for seen in found.right.beside(found.left))
    assert (found.shared, found.most) == (3, 3)


def test_like_and_exclusions_are_asked_in_both(
    assets: list[Asset], alice: User, queries_in_process: None, client: Client
) -> None:
    client.force_login(alice)
    found = client.get(f"/compare/?like={assets[0].uuid}&without=blue").context["found"]
    for side in (found.left, found.right):
        assert [hit.asset.filename for hit in side.answer.hits] == ["lime.jpg", "blue.jpg"], side.space


def test_one_that_cannot_answer_leaves_the_other(
    assets: list[Asset], alice: User, queries_in_process: None, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:

    def refuse_one(space: Space) -> Encoder:
        if space.slug == "other":
            raise EncoderRefused("This machine has other weights.")
        return encoder_of(space)

    monkeypatch.setattr(queries, "encoder_of", refuse_one)
    client.force_login(alice)
    page = client.get("/compare/?q=a+new+question")
    assert page.status_code == 200
    assert page.context["found"].left.answer.got == 3
    assert "cannot be read right now" in page.context["found"].right.trouble


@pytest.mark.parametrize("address", ["/compare/?q=red&space=nothing", "/compare/?q=red&against=nothing"])
def test_a_space_that_is_none_is_named(assets: list[Asset], alice: User, client: Client, address: str) -> None:
    client.force_login(alice)
    page = client.get(address)
    assert page.status_code == 400
    assert "No space is named" in page.content.decode()


def test_with_one_space_there_is_nothing_to_compare(fake_space: Space, alice: User, client: Client) -> None:
    client.force_login(alice)
    assert "Only fake is live" in client.get("/compare/?q=red").content.decode()


def test_the_command_line_asks_in_a_space_too(assets: list[Asset], alice: User, queries_in_process: None) -> None:
    out = StringIO()
    call_command("search", "red", "--space", "other", "--json", stdout=out)
    assert '"space": "other"' in out.getvalue()
    with pytest.raises(CommandError, match="No space is named"):
        call_command("search", "red", "--space", "nothing", stdout=out)


def test_a_retired_space_is_none_to_ask_in(assets: list[Asset], alice: User) -> None:
    activate(Space.objects.get(slug="other"))
    call_command("space", "retire", "fake", stdout=StringIO())
    with pytest.raises(BadQuery, match="There are: other"):
        search(Query(text="red", space="fake"), alice)

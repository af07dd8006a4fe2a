"""Who asks very much waits a little: on the page, under htmx, and for what costs the model something alone."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from archive.models import Asset, Collection, Space
from tests.prepared import make_encoded, random_rows

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("queries_in_process")]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def shelf(harbour: Collection, fake_space: Space, settings: Any) -> list[Asset]:
    settings.SIGHTLINE_QUESTION_LIMIT = 2
    return make_encoded(harbour, fake_space, random_rows(30))


@pytest.fixture
def asker(shelf: list[Asset], bob: User, client: Client) -> Client:
    client.force_login(bob)
    return client


def test_after_many_new_questions_the_page_says_when_to_ask_again(asker: Client) -> None:
    assert [asker.get(f"/?q=boat+{n}").status_code for n in range(2)] == [200, 200]
    refused = asker.get("/?q=boat+2")
    assert refused.status_code == 429
    wait = int(refused["Retry-After"])
    assert 0 < wait <= 30
    page = refused.content.decode()
    assert f"Ask this one again in {wait} second" in page
    assert 'value="boat 2"' in page
    assert "Try again" in page
    assert "<html" in page


def test_what_was_asked_before_and_its_further_pages_cost_nothing(asker: Client, shelf: list[Asset]) -> None:
    first = asker.get("/?q=boat&limit=5")
    assert asker.get("/?q=harbour").status_code == 200
    assert asker.get("/?q=sea").status_code == 429
    for address in ("/?q=boat&limit=5", "/?q=harbour&kind=photo", f"/?like={shelf[0].uuid}", "/"):
        assert asker.get(address).status_code == 200, address
    for _ in range(4):
        following = asker.get(first.context["next"], headers=HTMX)
        assert following.status_code == 200
        first = following


def test_a_question_of_several_new_terms_costs_as_many(asker: Client) -> None:
    refused = asker.get("/?q=boat&without=people,+cars")
    assert refused.status_code == 429
    # What was read by then is kept: asking again costs the rest alone.
    assert asker.get("/?q=boat&without=people").status_code == 200


def test_a_page_that_is_fetched_while_scrolling_says_it_in_its_place(asker: Client) -> None:
    for n in range(2):
        asker.get(f"/?q=boat+{n}")
    part = asker.get("/?q=boat+2&offset=5", headers=HTMX)
    assert part.status_code == 429
    assert int(part["Retry-After"]) > 0
    assert 'id="more"' in part.content.decode()
    assert "<html" not in part.content.decode()
    assert "Ask this one again in" in part.content.decode()


def test_one_persons_haste_is_not_anothers(asker: Client, alice: User) -> None:
    for n in range(3):
        asker.get(f"/?q=boat+{n}")
    other = Client()
    other.force_login(alice)
    assert other.get("/?q=something+else").status_code == 200


def test_labels_for_a_picture_are_counted_too(asker: Client, shelf: list[Asset]) -> None:
    for n in range(2):
        asker.get(f"/?q=boat+{n}")
    refused = asker.get(f"/which/{shelf[0].uuid}/?labels=cat,dog")
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0


def test_who_is_not_logged_in_asks_nothing(shelf: list[Asset], client: Client) -> None:
    for n in range(40):
        assert client.get(f"/?q=boat+{n}").status_code == 302


def test_the_api_has_a_rate_of_its_own(asker: Client) -> None:
    assert [asker.get(f"/api/v1/search?q=boat+{n}").status_code for n in range(5)] == [200] * 5

"""Sharing opens a collection to searches at once; taking it back closes it at the very next request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from archive.models import Asset, Collection, Membership, Role, Space, Visibility
from archive.trash import trash
from tests.cast import make_user
from tests.prepared import make_encoded, random_rows
from workers import client as worker

pytestmark = pytest.mark.django_db
PAGE = 20


@pytest.fixture
def owner(db: None) -> User:
    return make_user("owner")


@pytest.fixture
def cellar(owner: User, harbour: Collection, bob: User, fake_space: Space, queries_in_process: None) -> Collection:
    """A hundred pictures of the owner's, nearer to "red" than any of the hundred in bob's harbour."""
    make_encoded(harbour, fake_space, random_rows(100, seed=1), prefix="mine")
    red = worker.encode_text(fake_space, "red").vector
    near = red + random_rows(100, seed=2) * 0.5
    cellar = Collection.objects.create(slug="cellar", name="Cellar", owner=owner)
    make_encoded(cellar, fake_space, np.asarray(near / np.linalg.norm(near, axis=1, keepdims=True)), prefix="theirs")
    return cellar


@pytest.fixture
def browser(bob: User) -> Client:
    client = Client()
    client.force_login(bob)
    return client


@pytest.fixture
def owners(owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client


def names(answer: Any) -> list[str]:
    return [hit.asset.filename for hit in answer.context["answer"].hits]


def page(browser: Client, number: int, terms: str = "q=red") -> Any:
    headers = {"HX-Request": "true"} if number else {}
    return browser.get(f"/?{terms}&limit={PAGE}&offset={number * PAGE}", headers=headers)


def theirs(found: list[str]) -> int:
    return sum(name.startswith("theirs") for name in found)


# ---- sharing -----------------------------------------------------------------------------------


def test_what_is_shared_with_a_person_is_found_by_the_next_search(
    cellar: Collection, owners: Client, browser: Client
) -> None:
    assert theirs(names(page(browser, 0))) == 0
    owners.post("/collections/cellar/members/", {"name": "bob", "role": "viewer"})
    assert theirs(names(page(browser, 0))) == PAGE
    assert "Cellar" in browser.get("/").content.decode()


def test_what_is_shared_with_a_group_is_found_by_its_people_as_long_as_they_are_in_it(
    cellar: Collection, owners: Client, browser: Client, bob: User
) -> None:
    sailors = Group.objects.create(name="sailors")
    owners.post("/collections/cellar/members/", {"name": "sailors", "role": "viewer"})
    assert theirs(names(page(browser, 0))) == 0
    bob.groups.add(sailors)
    assert theirs(names(page(browser, 0))) == PAGE
    bob.groups.remove(sailors)
    assert theirs(names(page(browser, 1))) == 0
    assert theirs(names(page(browser, 0))) == 0


# ---- and taking it back, in the middle of a scroll ---------------------------------------------


def remove_member(cellar: Collection, owners: Client) -> None:
    member = Membership.objects.get(collection=cellar)
    owners.post(f"/collections/cellar/members/{member.pk}/remove/")


def leave_the_group(cellar: Collection, owners: Client) -> None:
    User.objects.get(username="bob").groups.clear()


def delete_the_group(cellar: Collection, owners: Client) -> None:
    Group.objects.all().delete()


def close_to_everyone(cellar: Collection, owners: Client) -> None:
    owners.post("/collections/cellar/", {"name": "Cellar", "visibility": "members"})


def move_away(cellar: Collection, owners: Client) -> None:
    private = Collection.objects.create(slug="private", name="Private", owner=cellar.owner)
    Asset.objects.filter(collection=cellar).update(collection=private)


def into_the_trash(cellar: Collection, owners: Client) -> None:
    trash(Asset.objects.filter(collection=cellar))


def share_with_bob(cellar: Collection) -> None:
    Membership.objects.create(collection=cellar, user=User.objects.get(username="bob"), role=Role.CONTRIBUTOR)


def share_with_a_group(cellar: Collection) -> None:
    sailors = Group.objects.create(name="sailors")
    User.objects.get(username="bob").groups.add(sailors)
    Membership.objects.create(collection=cellar, group=sailors, role=Role.CURATOR)


def open_to_everyone(cellar: Collection) -> None:
    Collection.objects.filter(pk=cellar.pk).update(visibility=Visibility.EVERYONE)


@pytest.mark.parametrize(
    ("share", "hide"),
    [
        (share_with_bob, remove_member),
        (share_with_a_group, remove_member),
        (share_with_a_group, leave_the_group),
        (share_with_a_group, delete_the_group),
        (open_to_everyone, close_to_everyone),
        (share_with_bob, move_away),
        (share_with_bob, into_the_trash),
    ],
)
def test_the_next_page_of_a_running_scroll_shows_nothing_of_what_was_hidden(
    cellar: Collection,
    owners: Client,
    browser: Client,
    share: Callable[[Collection], None],
    hide: Callable[[Collection, Client], None],
) -> None:
    share(cellar)
    seen = Asset.objects.filter(collection=cellar).first()
    assert seen
    scrolls = ("q=red", f"like={seen.uuid}")
    for terms in scrolls:
        assert theirs(names(page(browser, 0, terms)) + names(page(browser, 1, terms))) == 2 * PAGE, terms
    hide(cellar, owners)
    for number in (1, 2, 0):  # 1 and 2 lie in the ranking that is kept, 0 is ranked anew
        answer = page(browser, number)
        assert theirs(names(answer)) == 0
        assert "theirs" not in answer.content.decode()
        # Where a search started from what is hidden, there is nothing to go on from.
        assert page(browser, number, scrolls[1]).status_code == 404
        by_api = browser.get(f"/api/v1/search?q=red&limit={PAGE}&offset={number * PAGE}")
        assert "theirs" not in by_api.content.decode()
        assert browser.get(f"/api/v1/search?{scrolls[1]}&offset={number * PAGE}").status_code == 404
    assert {browser.get(address).status_code for address in every_address_of(seen)} == {404}
    assert len(names(page(browser, 0))) == PAGE


def every_address_of(asset: Asset) -> list[str]:
    pages = [asset.get_absolute_url(), asset.thumbnail_url, asset.original_url, f"/similar/{asset.uuid}/"]
    return [*pages, f"/api/v1/assets/{asset.uuid}", f"/api/v1/assets/{asset.uuid}/original"]


def test_somebody_who_was_locked_out_is_out_at_the_next_request(cellar: Collection, browser: Client, bob: User) -> None:
    from rest_framework.authtoken.models import Token

    token = Token.objects.create(user=bob)
    by_token = {"Authorization": f"Token {token.key}"}
    assert Client().get("/api/v1/assets", headers=by_token).status_code == 200
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert page(browser, 1).status_code == 204  # htmx is sent to the log-in
    assert browser.get("/")["Location"].startswith("/login/")
    assert Client().get("/api/v1/assets", headers=by_token).status_code == 401

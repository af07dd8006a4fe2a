"""Browsing, page after page, in every order: nothing twice and nothing lost, although uploads and the trash go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from archive.models import Asset, Collection, Space
from archive.trash import trash
from search.engine import search
from search.failures import StaleCursor
from search.query import Order, Query
from tests.api import client_of, error_of
from tests.prepared import make_encoded, random_rows

pytestmark = pytest.mark.django_db
DAY = datetime(1969, 12, 30, 12, tzinfo=UTC)  # some were taken before computers began to count
Place = Callable[[Asset], tuple[bool, float, int]]


def by(value: Callable[[Asset], float | None], *, rising: bool = False) -> Place:
    """Where an asset stands: what is not known last, and of equals the one that came last first."""

    def place(asset: Asset) -> tuple[bool, float, int]:
        known = value(asset)
        return known is None, (known if rising else -known) if known is not None else 0.0, -asset.pk

    return place


def taken(asset: Asset) -> float | None:
    return asset.taken_at.timestamp() if asset.taken_at else None


ORDERS: dict[Order, Place] = {
    Order.CLOSEST: by(lambda asset: asset.added_at.timestamp()),
    Order.ADDED: by(lambda asset: asset.added_at.timestamp()),
    Order.TAKEN: by(taken),
    Order.LONGEST: by(lambda asset: asset.duration),
    Order.SHORTEST: by(lambda asset: asset.duration, rising=True),
}


@pytest.fixture
def make(harbour: Collection, fake_space: Space) -> Callable[[str], list[Asset]]:
    """Nineteen more of all kinds: equal dates and lengths, odd fractions of seconds, and none at all."""

    def some(prefix: str) -> list[Asset]:
        made = make_encoded(harbour, fake_space, random_rows(19), prefix=prefix)
        for n, asset in enumerate(made):
            asset.taken_at = DAY + timedelta(days=n // 3, microseconds=n % 2) if n % 4 else None
            asset.duration = (n // 4) * 0.1 + 1e-9 if n % 3 else None
            asset.save(update_fields=["taken_at", "duration"])
        return made

    return some


def pages(query: Query, user: User) -> Iterator[list[Asset]]:
    following: Query | None = query
    while following is not None:
        following = Query.from_params(following.params())  # as an address carries it
        answer = search(following, user)
        assert [hit.rank for hit in answer.hits] == list(range(following.offset + 1, following.offset + answer.got + 1))
        yield [hit.asset for hit in answer.hits]
        end = following.offset + answer.got
        following = replace(following, offset=end, cursor=answer.cursor) if answer.more else None


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("limit", [1, 4, 50])
def test_pages_together_are_the_whole_in_its_order(
    make: Callable[[str], list[Asset]], bob: User, order: Order, limit: int
) -> None:
    made = make("one") + make("other")
    seen = [asset for page in pages(Query(order=order, limit=limit), bob) for asset in page]
    assert seen == sorted(made, key=ORDERS[order])


@pytest.mark.parametrize("order", list(Order))
def test_what_comes_and_goes_between_two_pages_neither_repeats_nor_loses_anything(
    make: Callable[[str], list[Asset]], bob: User, order: Order
) -> None:
    made = make("first")
    seen: list[Asset] = []
    gone: set[Asset] = set()
    for n, page in enumerate(pages(Query(order=order, limit=3), bob)):
        seen += page
        if n < 3:
            make(f"later-{n}")
        trash(Asset.objects.filter(pk=page[0].pk))  # shown already: its place may not be taken by the next one
        gone.add(page[0])
    assert len(seen) == len(set(seen))
    assert set(made) <= set(seen)
    assert seen == sorted(seen, key=ORDERS[order])
    assert gone <= set(seen)


@pytest.mark.parametrize("order", list(Order))
def test_the_api_and_the_page_hand_the_cursor_on(
    make: Callable[[str], list[Asset]], bob: User, client: Client, order: Order
) -> None:
    made = make("one")
    api, seen = client_of(bob), []
    asked: dict[str, str] = {"order": order.value, "limit": "8"}
    while True:
        body = api.get("/api/v1/search", asked).json()
        seen += [hit["asset"] for hit in body["hits"]]
        if not body["more"]:
            break
        assert body["cursor"]
        asked |= {"offset": str(len(seen)), "cursor": body["cursor"]}
        make(f"later-{len(seen)}") if order is Order.ADDED else None
    assert seen == [str(asset.uuid) for asset in sorted(made, key=ORDERS[order])]
    client.force_login(bob)
    page = client.get("/", {"order": order.value, "limit": "8"})
    assert "cursor=" in page.context["next"]


def test_a_cursor_of_another_order_or_of_no_order_is_refused(make: Callable[[str], list[Asset]], bob: User) -> None:
    make("one")
    cursors = {order: search(Query(order=order, limit=4), bob).cursor for order in Order if order is not Order.CLOSEST}
    for order in cursors:
        for other, cursor in cursors.items():
            if other is not order:
                with pytest.raises(StaleCursor):
                    search(Query(order=order, offset=4, cursor=cursor), bob)
    numbers = ("x", "nan", "inf", "1e999", "1_0", "٣", "9" * 40, "", "1+1", "--1", "1..")
    times = ("1.5", "1e5", "-" + "9" * 17)
    bad = [f"{order}.{number}.5" for order in cursors for number in numbers]
    bad += [f"{order}.{number}.5" for order in (Order.ADDED, Order.TAKEN) for number in times]
    bad += [f"{order}.1.{pk}" for order in cursors for pk in ("x", "", "-1", "٣", "9" * 40)]
    for cursor in (*bad, "added.-.5", "..", ".1.5", "1.5", "taken"):
        for order in cursors:
            with pytest.raises(StaleCursor):
                search(Query(order=order, offset=4, cursor=cursor), bob)
    refused = client_of(bob).get("/api/v1/search", {"order": "taken", "offset": "4", "cursor": "taken.nan.7"})
    assert (refused.status_code, error_of(refused)["code"]) == (410, "stale_cursor")

"""Less certain hits stand behind all that match well, on every page, and the count says whether it is all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client

from archive.models import Asset, Collection, Space
from search.background import forget
from search.engine import search
from search.hits import Answer
from search.query import Mode, Query
from search.views import _headline
from tests.prepared import Rows, make_encoded, random_rows
from workers.client import Encoded, remember_text

pytestmark = pytest.mark.django_db
GOOD, POOR = 150, 300


@pytest.fixture(autouse=True)
def _no_background() -> Iterator[None]:
    forget()
    yield
    forget()


def around(centre: Rows, count: int, seed: int) -> Rows:
    rows = centre + random_rows(count, seed=seed) * 0.5
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


@pytest.fixture
def good(harbour: Collection, fake_space: Space) -> list[Asset]:
    """Many that look like cats, to a model that knows how close that is."""
    fake_space.calibration = {"balanced": 0.3, "strict": 0.3}
    fake_space.save()
    cat = random_rows(1)[0]
    remember_text(fake_space, "cat", Encoded(cat))
    return make_encoded(harbour, fake_space, around(cat, GOOD, seed=1), prefix="good")


@pytest.fixture
def poor(harbour: Collection, fake_space: Space) -> list[Asset]:
    """More that do not."""
    return make_encoded(harbour, fake_space, -around(random_rows(1)[0], POOR, seed=2), prefix="poor")


def call(assets: list[Asset], title: str) -> None:
    Asset.objects.filter(pk__in=[asset.pk for asset in assets]).update(title=title)


def pages(query: Query, user: User) -> list[Answer]:
    found = [search(query, user)]
    while found[-1].more:
        query = replace(query, offset=query.offset + query.limit, cursor=found[-1].cursor)
        found.append(search(query, user))
    return found


def in_order(found: list[Answer]) -> list[bool]:
    """Whether each hit matches well, over all pages; and everything comes once."""
    hits = [hit for answer in found for hit in answer.hits]
    assert len({hit.asset.pk for hit in hits}) == len(hits)
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    return [hit.well for hit in hits]


def test_what_only_begins_with_the_word_waits_for_all_that_match_well(
    good: list[Asset], poor: list[Asset], bob: User
) -> None:
    call(poor[:5], "A cathedral")
    found = pages(Query(text="cat"), bob)
    assert in_order(found) == [True] * GOOD + [False] * POOR
    first, second = found[0], found[1]
    assert not first.well_is_all
    assert first.well >= 60
    assert second.well_is_all
    assert second.well == GOOD
    assert [answer.divide for answer in found[1:]] == [GOOD + 1] * (len(found) - 1)


def test_more_sayings_than_a_page_holds_do_not_hold_back_what_looks_like_it(
    good: list[Asset], poor: list[Asset], bob: User
) -> None:
    call(poor[:100], "One cat")
    found = pages(Query(text="cat"), bob)
    assert in_order(found) == [True] * (GOOD + 100) + [False] * (POOR - 100)
    # Both take turns on the second page as well as on the first.
    said = [hit.said for hit in found[1].hits]
    assert 20 <= sum(said) <= 45
    assert found[1].well == GOOD + 100


def test_the_page_says_at_least_as_long_as_there_may_be_more(
    good: list[Asset], poor: list[Asset], bob: User, client: Client
) -> None:
    call(poor[:5], "A cathedral")
    client.force_login(bob)
    page = client.get("/?q=cat").content.decode()
    assert "at least " in page
    assert "Less certain from here" not in page


def test_where_the_line_lies_on_the_first_page_all_are_counted(good: list[Asset], poor: list[Asset], bob: User) -> None:
    Asset.objects.filter(pk__in=[asset.pk for asset in good[40:]]).delete()
    call(poor[:5], "A cathedral")
    found = pages(Query(text="cat"), bob)
    assert in_order(found) == [True] * 40 + [False] * POOR
    assert {(answer.well, answer.well_is_all) for answer in found} == {(40, True)}


def test_strictly_asked_nothing_less_certain_comes_and_the_end_is_known(
    good: list[Asset], poor: list[Asset], bob: User
) -> None:
    Asset.objects.filter(pk__in=[asset.pk for asset in good[50:]]).delete()
    call(poor[:5], "One cat")
    (only,) = pages(Query(text="cat", mode=Mode.STRICT), bob)
    assert in_order([only]) == [True] * 55
    assert (only.well, only.well_is_all) == (55, True)


def test_more_sayings_than_are_read_are_at_least_so_many(good: list[Asset], poor: list[Asset], bob: User) -> None:
    call(poor[:250], "One cat")
    first = search(Query(text="cat"), bob)
    assert not first.well_is_all
    assert _headline(Query(text="cat"), first).startswith("at least ")

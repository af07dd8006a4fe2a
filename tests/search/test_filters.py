"""Filters: yes or no, by every column that they speak of, and never a row that does not belong."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User

from archive.models import Asset, Collection, Concept, Kind, Space, Tag, TagState
from search.candidates import find_candidates
from search.engine import search
from search.facets import count_facets
from search.query import Mode, Order, Query
from tests.prepared import make_encoded, random_rows
from workers.client import Encoded, remember_text

pytestmark = pytest.mark.django_db


@pytest.fixture
def shelf(harbour: Collection, fake_space: Space, bob: User) -> dict[str, Asset]:
    names = ("wide", "tall", "square", "film", "plain")
    assets = dict(zip(names, make_encoded(harbour, fake_space, random_rows(5)), strict=True))
    facts = {
        "wide": {"width": 4000, "height": 3000, "uploader": bob, "latitude": 54.3, "longitude": 10.1},
        "tall": {"width": 600, "height": 800, "place": "Kiel", "taken_at": datetime(2020, 5, 1, tzinfo=UTC)},
        "square": {"width": 100, "height": 100, "taken_at": datetime(2022, 5, 1, tzinfo=UTC)},
        "film": {"kind": Kind.VIDEO, "duration": 75.0, "filename": "Holiday_100%.mp4"},
        "plain": {},
    }
    for name, asset in assets.items():
        if facts[name]:
            Asset.objects.filter(pk=asset.pk).update(**facts[name])
    sea, boats = (Concept.objects.create(slug=name, name=name.title()) for name in ("sea", "boats"))
    for name, concept in (("wide", sea), ("wide", boats), ("tall", sea)):
        Tag.objects.create(asset=assets[name], concept=concept)
    Tag.objects.create(asset=assets["plain"], concept=boats, state=TagState.PROPOSED)
    return assets


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({"shape": "landscape"}, "wide"),
        ({"shape": "portrait"}, "tall"),
        ({"shape": "square"}, "square"),
        ({"larger": "1"}, "wide"),
        ({"larger": "0.4", "smaller": "1"}, "tall"),
        ({"by": "bob"}, "wide"),
        ({"placed": "yes"}, "wide tall"),
        ({"placed": "no"}, "square film plain"),
        ({"longer": "60"}, "film"),
        ({"longer": "60", "shorter": "70"}, ""),
        ({"kind": "video"}, "film"),
        ({"name": "holiday"}, "film"),
        ({"name": "100%"}, "film"),
        ({"name": "%"}, "film"),
        ({"name": "_1"}, "film"),
        ({"tag": "sea"}, "wide tall"),
        ({"tag": "SEA, boats"}, "wide tall"),
        ({"alltags": "sea,boats"}, "wide"),
        ({"notags": "sea"}, "square film plain"),
        ({"tag": "sea", "notags": "boats"}, "tall"),
        ({"tag": "nothing"}, ""),
        ({"from": "2021-01-01", "to": "2023-01-01"}, "square"),
        ({"by": "alice' OR 1=1 --"}, ""),
    ],
)
def test_a_filter_leaves_what_it_names(shelf: dict[str, Asset], bob: User, params: dict[str, str], names: str) -> None:
    query = Query.from_params(params)
    found = set(find_candidates(query, bob).values_list("pk", flat=True))
    assert found == {shelf[name].pk for name in names.split()}
    assert query.filters
    # The same in a search, whatever is asked beside it.
    remember_text(Space.objects.get(), "it", Encoded(random_rows(5)[0]))
    assert {hit.asset.pk for hit in search(Query.from_params({**params, "q": "it"}), bob).hits} == found


def test_the_relevant_set_can_be_sorted_by_date(shelf: dict[str, Asset], bob: User) -> None:
    remember_text(Space.objects.get(), "it", Encoded(random_rows(5)[0]))
    taken = [hit.asset.pk for hit in search(Query(text="it", order=Order.TAKEN), bob).hits]
    assert taken[:2] == [shelf["square"].pk, shelf["tall"].pk]
    assert len(taken) == 5
    browsed = [hit.asset.pk for hit in search(Query(order=Order.TAKEN), bob).hits]
    assert browsed[:2] == taken[:2]


def test_facets_count_the_relevant_set_and_lead_into_it(shelf: dict[str, Asset], bob: User) -> None:
    remember_text(Space.objects.get(), "it", Encoded(random_rows(5)[0]))
    query = Query(text="it", mode=Mode.EVERYTHING)
    facets = count_facets(query, bob)
    assert facets.total == 5
    assert [(value.label, value.count) for value in facets.tags] == [("Sea", 2), ("Boats", 1)]
    assert {value.label: value.count for value in facets.kinds} == {"photo": 4, "video": 1}
    for value in (*facets.tags, *facets.kinds, *facets.years, *facets.collections):
        assert search(query.but(**value.changes), bob).got == value.count


def test_facets_know_nothing_of_what_may_not_be_seen(shelf: dict[str, Asset], bob: User, visitor: User) -> None:
    assert count_facets(Query(), visitor).total == 0
    assert count_facets(Query(), visitor).tags == []
    Asset.objects.filter(pk=shelf["wide"].pk).update(trashed_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert [(value.label, value.count) for value in count_facets(Query(), bob).tags] == [("Sea", 1)]

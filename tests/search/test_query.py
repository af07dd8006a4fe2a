"""Queries: from the URL to an object and back, and a sentence for what makes no sense."""

from __future__ import annotations

from datetime import date
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.models import Kind
from search.query import MAX_LIMIT, MAX_TEXT, BadQuery, Query

letters = st.characters(exclude_characters="\x00", codec="utf-8")
words = st.text(letters, max_size=60).map(lambda raw: " ".join(raw.split()))
names = st.sampled_from(["q", "without", "like", "offset", "limit", "from", "to", "kind", "x"])
slugs = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", max_size=40)
keys = st.just("") | st.from_regex(r"\A[A-Za-z0-9_-]{1,40}\Z")
days = st.none() | st.dates(date(1826, 1, 1), date(2200, 1, 1))


@st.composite
def queries(draw: st.DrawFn) -> Query:
    begin, end = draw(days), draw(days)
    if begin and end and begin > end:
        begin, end = end, begin
    return Query(
        text=draw(words),
        without=draw(words),
        like=draw(st.none() | st.uuids()),
        picture=draw(keys),
        collection=draw(slugs),
        kind=draw(st.sampled_from(["", *Kind.values])),
        date_from=begin,
        date_to=end,
        offset=draw(st.integers(0, 1000)),
        limit=draw(st.integers(1, MAX_LIMIT)),
        exact=draw(st.booleans()),
    )


@given(queries())
def test_a_query_survives_the_way_through_a_url(query: Query) -> None:
    assert Query.from_params(query.params()) == query
    assert Query.from_params(dict(parse_qsl(urlsplit(query.url()).query))) == query


def read(params: dict[str, str]) -> Query | BadQuery:
    try:
        return Query.from_params(params)
    except BadQuery as bad:
        return bad


@given(st.dictionaries(names, st.text()))
def test_whatever_stands_in_a_url_is_a_query_or_a_bad_one(params: dict[str, str]) -> None:
    found = read(params)
    if isinstance(found, BadQuery):
        assert set(found.fields) <= set(params)
        assert all(sentence.endswith(".") for sentence in found.fields.values())
    else:
        assert Query.from_params(found.params()) == found
        assert 0 <= found.offset <= 1000
        assert 1 <= found.limit <= MAX_LIMIT


def test_a_url_carries_only_what_differs_from_the_defaults() -> None:
    assert Query().url() == "/"
    assert Query(text="red boat", limit=60).url() == "/?q=red+boat"
    assert Query(date_from=date(2024, 5, 1), exact=True).url() == "/?from=2024-05-01&exact=1"


def test_a_changed_query_begins_at_its_first_page() -> None:
    assert Query(text="boat", offset=120).but(kind="photo") == Query(text="boat", kind="photo")
    assert Query(text="boat").but(offset=60).offset == 60


@pytest.mark.parametrize(
    ("params", "field", "words"),
    [
        ({"q": "x" * (MAX_TEXT + 1)}, "q", "At most 300 characters"),
        ({"like": "7"}, "like", "not the id of an asset"),
        ({"kind": "sound"}, "kind", "photo, video"),
        ({"from": "yesterday"}, "from", "2026-05-31"),
        ({"to": "2024-02-30"}, "to", "2026-05-31"),
        ({"to": "9999-12-31"}, "to", "2026-05-31"),
        ({"from": "0001-01-01"}, "from", "2026-05-31"),
        ({"from": "2024-02-02", "to": "2024-02-01"}, "from", "after the last"),
        ({"limit": "0"}, "limit", "from 1 to 200"),
        ({"limit": "201"}, "limit", "from 1 to 200"),
        ({"limit": "-1"}, "limit", "from 1 to 200"),
        ({"offset": "1001"}, "offset", "from 0 to 1000"),
        ({"offset": "000000000999999999"}, "offset", "from 0 to 1000"),
        ({"offset": "١"}, "offset", "from 0 to 1000"),
        ({"offset": "1e3"}, "offset", "from 0 to 1000"),
        ({"collection": "x" * 101}, "collection", "too long"),
        ({"picture": "../etc/passwd"}, "picture", "Choose the picture again"),
        ({"picture": "x" * 41}, "picture", "Choose the picture again"),
    ],
)
def test_what_makes_no_sense_is_named_in_a_sentence(params: dict[str, str], field: str, words: str) -> None:
    with pytest.raises(BadQuery) as bad:
        Query.from_params(params)
    assert list(bad.value.fields) == [field]
    assert words in bad.value.fields[field]


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(BadQuery) as bad:
        Query.from_params({"kind": "sound", "limit": "many", "q": "boat"})
    assert set(bad.value.fields) == {"kind", "limit"}


def test_nothing_to_rank_by_is_browsing() -> None:
    assert not Query(collection="harbour", kind="photo").asks
    assert Query(collection="harbour").filters
    assert Query(without="people").asks
    assert not Query(text="boat").filters


def test_null_characters_and_wild_spaces_disappear() -> None:
    assert Query.from_params({"q": " red\x00 \n\t boat  "}).text == "red boat"

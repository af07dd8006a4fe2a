"""Queries: from the URL to an object and back, and a sentence for what makes no sense."""

from __future__ import annotations

from datetime import date
from unicodedata import normalize
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.models import Kind
from search.negation import join_list, split_negations
from search.query import MAX_LIMIT, MAX_TEXT, BadQuery, Box, Mode, Order, Query, Shape
from search.reading import MAX_OFFSET

letters = st.characters(exclude_characters="\x00“”„‟«»″", codec="utf-8")  # read as plain quotes
words = st.text(letters, max_size=60).map(lambda raw: " ".join(normalize("NFC", raw).split()))
names = st.sampled_from(
    ["q", "without", "like", "offset", "limit", "from", "to", "kind", "x", "box", "tag", "larger", "mode", "order"]
)
keys = st.just("") | st.from_regex(r"\A[A-Za-z0-9_-]{1,40}\Z")
lists = st.lists(st.sampled_from(["people", "cars^2", "red things^0.5", "Été", "x^y"]), max_size=3, unique=True).map(
    lambda parts: join_list(tuple(parts))
)
weights = st.sampled_from([0.25, 1.0, 1.5, 4.0])
slugs = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", max_size=40)
days = st.none() | st.dates(date(1826, 1, 1), date(2200, 1, 1))


@st.composite
def queries(draw: st.DrawFn) -> Query:
    begin, end = draw(days), draw(days)
    if begin and end and begin > end:
        begin, end = end, begin
    return Query(
        text=draw(words.filter(lambda text: not split_negations(text)[1])),
        without=draw(lists),
        like=draw(st.none() | st.uuids()),
        unlike=draw(st.none() | st.uuids()),
        picture=draw(keys),
        box=draw(st.none() | st.just(Box(0.1, 0.25, 0.5, 0.75))),
        balance=draw(st.sampled_from([0.05, 0.5, 0.95])),
        literal=draw(st.booleans()),
        picture_weight=draw(weights),
        like_weight=draw(weights),
        unlike_weight=draw(weights),
        collection=draw(slugs),
        kind=draw(st.sampled_from(["", *Kind.values])),
        tags=draw(lists),
        all_tags=draw(lists),
        no_tags=draw(lists),
        date_from=begin,
        date_to=end,
        shape=draw(st.sampled_from(["", *Shape])),
        larger=draw(st.sampled_from([0.0, 0.5, 12.0])),
        smaller=draw(st.sampled_from([0.0, 20.0])),
        uploader=draw(slugs),
        placed=draw(st.sampled_from(["", "yes", "no"])),
        name=draw(slugs),
        mode=draw(st.sampled_from(Mode)),
        order=draw(st.sampled_from(Order)),
        cursor=draw(slugs),
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


@pytest.mark.parametrize(
    ("typed", "wanted", "unwanted"),
    [
        ("boats without people", "boats", "people"),
        ("a street, no cars", "a street", "cars"),
        ("harbour -boats -fog", "harbour", "boats, fog"),
        ("a street with no cars, without people", "a street", "cars, people"),
        ("a cat, not a dog", "a cat", "a dog"),
        ('"no entry" sign without rust', '"no entry" sign', "rust"),
        ("no people", "no people", ""),
        ('boat -"night sky"', "boat", "night sky"),
        ("boat without “a red sail”", "boat", "a red sail"),
        ("Scene not used.jpg", "Scene not used.jpg", ""),
        ("a well-kept garden", "a well-kept garden", ""),
        ("notes on a desk", "notes on a desk", ""),
    ],
)
def test_what_should_not_be_there_becomes_a_term_of_its_own(typed: str, wanted: str, unwanted: str) -> None:
    query = Query.from_params({"q": typed})
    assert (query.text, query.without) == (wanted, unwanted)
    literally = Query.from_params({"q": typed, "literal": "1"})
    assert (literally.text, literally.without) == (typed.replace("“", '"').replace("”", '"'), "")


def test_too_many_things_to_leave_out_are_refused_before_anything_is_encoded() -> None:
    with pytest.raises(BadQuery, match="At most 20"):
        Query.from_params({"q": "boat " + " ".join(f"-w{n}" for n in range(25))})


def test_what_makes_sense_of_a_bad_query_is_kept_for_the_form() -> None:
    with pytest.raises(BadQuery) as caught:
        Query.from_params({"q": "boat", "from": "2024-05-02", "to": "2024-05-01", "kind": "song", "tag": "sea"})
    assert caught.value.rest == Query(text="boat", tags="sea")


@pytest.mark.parametrize("left", [0.334, 0.501, 0.667, 0.999])
def test_a_box_that_was_drawn_to_the_edge_lies_inside(left: float) -> None:
    width = round(1 - left + 0.001, 3)
    if width < 0.02:
        return
    box = Query.from_params({"box": f"{left},0,{width},1"}).box
    assert box is not None
    assert box.left + box.width <= 1 + 1e-9


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
        ({"offset": "1000000001"}, "offset", "from 0 to 999999999"),
        ({"offset": "000000000999999999"}, "offset", "from 0 to 999999999"),
        ({"offset": "١"}, "offset", "from 0 to 999999999"),
        ({"offset": "1e3"}, "offset", "from 0 to 999999999"),
        ({"collection": "x" * 101}, "collection", "too long"),
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


@pytest.mark.parametrize(
    ("written", "weighed", "kept"),
    [
        ("people^2, cars", [("people", 2.0), ("cars", 1.0)], "people^2, cars"),
        ("a red car ^ 0.5", [("a red car", 0.5)], "a red car^0.5"),
        ("people^1.0, cars^4", [("people", 1.0), ("cars", 4.0)], "people, cars^4"),
        ("x^y, a^2^3, ^2", [("x^y", 1.0), ("a^2^3", 1.0), ("^2", 1.0)], "x^y, a^2^3, ^2"),
    ],
)
def test_what_is_left_out_can_weigh_more_or_less(written: str, weighed: list[tuple[str, float]], kept: str) -> None:
    query = Query.from_params({"q": "boat", "without": written})
    assert [(term.words, term.weight) for term in query.weighed] == weighed
    assert query.unwanted == tuple(words for words, _ in weighed)
    assert query.params()["without"] == kept


def test_a_weight_that_is_typed_in_the_box_counts_too() -> None:
    query = Query.from_params({"q": "harbour -boats^2 without fog^0.5", "without": "boats"})
    assert (query.text, query.without) == ("harbour", "boats, fog^0.5")


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"q": "boat", "without": "people^9"}, "without"),
        ({"q": "boat -people^0"}, "q"),
        ({"pictureweight": "5"}, "pictureweight"),
        ({"likeweight": "nan"}, "likeweight"),
        ({"unlikeweight": "-1"}, "unlikeweight"),
    ],
)
def test_a_weight_that_no_term_may_have_is_refused_with_the_ends(params: dict[str, str], field: str) -> None:
    with pytest.raises(BadQuery) as refused:
        Query.from_params(params)
    assert list(refused.value.fields) == [field]
    assert "from 0.25 to 4" in refused.value.fields[field]


def test_weights_stand_in_the_address_only_where_they_differ() -> None:
    liked = UUID(int=7)
    assert "weight" not in Query(text="boat", like=liked).url()
    query = Query(text="boat", like=liked, like_weight=2.0, unlike_weight=0.25)
    assert query.url() == f"/?q=boat&like={liked}&likeweight=2&unlikeweight=0.25"


@pytest.mark.parametrize("name", ["q", "without", "tag", "by", "name", "collection"])
def test_letters_are_read_as_they_are_stored_however_a_system_writes_them(name: str) -> None:
    """macOS gives names in NFD: a letter, then its accent."""
    assert read({name: "Zu\u0308rich"}) == read({name: "Z\u00fcrich"})


def test_what_is_in_few_letters_is_not_too_long_because_of_its_accents() -> None:
    assert isinstance(read({"q": "u\u0308" * MAX_TEXT}), Query)
    assert isinstance(read({"q": "u\u0308" * (MAX_TEXT + 1)}), BadQuery)
    assert isinstance(read({"q": "\u0316\u0300" * 100_000}), BadQuery)


@pytest.mark.parametrize("name", ["exact", "literal"])
def test_yes_and_no_are_said_in_a_few_ways_and_nothing_else(name: str) -> None:
    for raw, meant in (("1", True), ("true", True), ("yes", True), ("0", False), ("false", False), ("no", False)):
        assert getattr(read({name: raw}), name) is meant
    found = read({name: "banana"})
    assert isinstance(found, BadQuery)
    assert found.fields == {name: "Say 1 or 0, please."}


def test_the_offset_ends_where_it_is_said_to() -> None:
    assert read({"offset": str(MAX_OFFSET)}) == Query(offset=MAX_OFFSET)
    assert isinstance(read({"offset": str(MAX_OFFSET + 1)}), BadQuery)

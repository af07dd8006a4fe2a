"""What the page says about words that models misread."""

import pytest

from search.hints import find_hint
from search.query import Query


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted"),
    [
        ("boats without people", "boats", "people"),
        ("a street, no cars", "a street", "cars"),
        ("harbour -boats", "harbour", "boats"),
        ("no people", "", "people"),
    ],
)
def test_a_negation_offers_to_leave_that_out(text: str, wanted: str, unwanted: str) -> None:
    hint = find_hint(Query(text=text))
    assert hint is not None
    assert hint.url == Query(text=wanted, without=unwanted).url()


def test_the_offer_keeps_the_filters() -> None:
    hint = find_hint(Query(text="boats without people", collection="harbour"))
    assert hint is not None
    assert "collection=harbour" in hint.url


@pytest.mark.parametrize("text", ["three red boats", "a cat left of a house", "12 stars above a tree"])
def test_numbers_and_sides_are_said_to_be_missed(text: str) -> None:
    hint = find_hint(Query(text=text))
    assert hint is not None
    assert "often missed" in hint.sentence
    assert not hint.url


@pytest.mark.parametrize(
    "text", ["", "a red boat at night", "nothing", "a well-kept garden", "notes on a desk", "piano"]
)
def test_ordinary_words_get_no_hint(text: str) -> None:
    assert find_hint(Query(text=text)) is None


def test_who_already_leaves_something_out_needs_no_advice() -> None:
    assert find_hint(Query(text="boats without people", without="people")) is None

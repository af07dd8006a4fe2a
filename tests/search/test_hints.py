"""What the page says about words that models misread."""

import pytest

from archive.models import Space
from search.hints import find_hints
from search.hits import Answer
from search.languages import guess_language
from search.query import Query


def said(query: Query, answer: Answer | None = None) -> str:
    return " ".join(hint.sentence for hint in find_hints(query, answer))


def test_words_taken_literally_are_said_to_be_overlooked_and_offered_as_a_chip() -> None:
    (hint,) = find_hints(Query(text="boats without people", literal=True, collection="harbour"))
    assert "overlooked" in hint.sentence
    assert hint.url == Query(text="boats", without="people", collection="harbour").url()


def test_leaving_out_alone_asks_what_to_look_for() -> None:
    (hint,) = find_hints(Query(text="no people"))
    assert "what to look for" in hint.sentence
    assert not hint.url


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        ("ein rotes Boot auf dem Wasser", True),
        ("een kat onder de tafel", True),
        ("un chat avec une pomme", True),
        ("красная лодка", True),
        ("赤い船", True),
        ("a boat", False),
        ("los angeles at night", False),
        ("café", False),
        ("das boot", True),
        ("an étude, with a naïve piano", False),
        ("", False),
    ],
)
def test_a_language_that_the_model_never_learned_is_named(text: str, foreign: bool) -> None:
    english = Space(slug="english", identity={"about": {"languages": "English"}})
    many = Space(slug="many", identity={"about": {"languages": "many"}})
    unknown = Space(slug="unknown")
    query = Query(text=text)
    assert ("learned from English" in " ".join(hint.sentence for hint in find_hints(query, None, english))) is foreign
    for space in (many, unknown, None):
        assert not any("English" in hint.sentence for hint in find_hints(query, None, space))


@pytest.mark.parametrize("text", ["three red boats", "a cat left of a house", "12 stars above a tree"])
def test_numbers_and_sides_are_said_to_be_missed(text: str) -> None:
    words = said(Query(text=text))
    assert "often missed" in words
    assert ("a pair, a row, a crowd" in words) is text.startswith(("three", "12"))
    assert ("without the side" in words) is ("of a house" in text or "above" in text)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("ein rotes Boot auf dem Wasser", "German"),
        ("een kat onder de tafel", "Dutch"),
        ("un chat avec une pomme", "French"),
        ("en båt och en brygga", "Swedish"),
        ("красная лодка", "a language in Cyrillic letters"),
        ("赤い船", "Japanese"),
        ("小船", "Chinese or Japanese"),
        ("una barca entre rocas", "Spanish"),
        ("barca na água entre rochas", ""),
        ("ლამაზი ნავი", ""),
    ],
)
def test_a_language_is_named_where_it_can_be_told(text: str, language: str) -> None:
    assert guess_language(text) == language
    space = Space(slug="english", identity={"about": {"languages": "English"}})
    words = " ".join(hint.sentence for hint in find_hints(Query(text=text), None, space))
    named = f"This looks like {language}, and the model" if language else "The model that is searched with"
    assert words.startswith(named)


def test_who_looks_for_writing_is_told_of_quotes() -> None:
    assert "quotes" in said(Query(text="a sign that says open"))
    assert "quotes" not in said(Query(text='a sign "open" that says'))


def test_a_question_that_was_cut_says_so_first() -> None:
    assert find_hints(Query(text="five boats"), Answer(cut=True))[0].sentence.startswith("These are more words")


@pytest.mark.parametrize(
    "text", ["", "a red boat at night", "nothing", "a well-kept garden", "notes on a desk", "piano"]
)
def test_ordinary_words_get_no_hint(text: str) -> None:
    assert find_hints(Query(text=text)) == []

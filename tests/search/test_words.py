"""Words that are written about an asset, beside what it looks like."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from archive.models import Asset, Collection, Concept, Embedding, Space, Tag
from search.engine import search
from search.fusion import fuse
from search.phrases import Saying, find_sayings, must_say, read_phrases, read_words, unquoted
from search.query import Query
from tests.prepared import make_encoded, random_rows
from workers.client import Encoded, remember_text

pytestmark = pytest.mark.django_db


@pytest.fixture
def shelf(harbour: Collection, fake_space: Space) -> list[Asset]:
    """Forty pictures; some have something written about them."""
    assets = make_encoded(harbour, fake_space, random_rows(40))
    written = (
        {"title": "Été à la plage", "filename": "IMG_2031.jpg"},
        {"caption": "The lighthouse keeper and his two boats", "filename": "DSC-0007.jpg"},
        {"place": "Kiel, Förde", "camera": "Canon EOS R5", "filename": "boats at rest.jpg"},
        {"title": "Pier/Harbour 2024-05-03", "caption": "The half-timbered house", "filename": "x.jpg"},
    )
    for asset, facts in zip(assets, written, strict=False):
        Asset.objects.filter(pk=asset.pk).update(**facts)
    return assets


def said(text: str) -> list[int]:
    return [saying.asset_id for saying in find_sayings(Asset.objects.all(), text, 50)]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("ete", [0]),
        ("plage été", [0]),
        ("lighth", [1]),
        ("boat", [2, 1]),  # in the name it counts more than in the caption
        ("keepers", [1]),
        ("forde", [2]),
        ("canon", [2]),
        ("2031", [0]),
        ("img_2031", [0]),
        ("lighthouse canon", []),
        ("harbour", [3]),
        ("2024", [3]),
        ("timbered", [3]),
        ("the", []),
        ("'; DROP TABLE archive_asset; -- & | ! :* (", []),
    ],
)
def test_words_match_from_their_beginning_and_without_accents(shelf: list[Asset], text: str, places: list[int]) -> None:
    assert said(text) == [shelf[place].pk for place in places]


def test_a_question_that_is_a_file_name_finds_that_file_first(shelf: list[Asset], bob: User, fake_space: Space) -> None:
    for name in ("dsc-0007.JPG", "IMG_2031.jpg"):
        remember_text(fake_space, name, Encoded(random_rows(40)[30]))
        hits = search(Query(text=name), bob).hits
        assert hits[0].asset.filename.lower() == name.lower()
        assert hits[1].asset.pk == shelf[30].pk


def test_a_name_is_found_however_a_system_writes_its_accents(harbour: Collection, bob: User, fake_space: Space) -> None:
    asset, *_ = make_encoded(harbour, fake_space, random_rows(4))
    Asset.objects.filter(pk=asset.pk).update(filename="Z\u00fcrich.jpg")
    for name in ("Z\u00fcrich.jpg", "Zu\u0308rich.jpg"):
        query = Query.from_params({"q": f'"{name}"'})
        remember_text(fake_space, unquoted(query.text), Encoded(random_rows(4)[3]))
        assert [hit.asset.pk for hit in search(query, bob).hits] == [asset.pk]
        assert [hit.asset.pk for hit in search(Query.from_params({"name": name}), bob).hits] == [asset.pk]


def test_accents_are_nothing_in_words_with_digits(shelf: list[Asset]) -> None:
    Asset.objects.filter(pk=shelf[5].pk).update(filename="Zürich2024.jpg", title="3ème-Été9")
    for text in ("zurich2024", "Zürich2024", "zurich2024.jpg", "zurich", "3eme", "ete9"):
        assert said(text) == [shelf[5].pk], text


def test_words_in_quotes_must_stand_there_as_they_are(shelf: list[Asset], bob: User, fake_space: Space) -> None:
    remember_text(fake_space, "keeper and his", Encoded(random_rows(40)[30]))
    assert [hit.asset.pk for hit in search(Query(text='"keeper and his"'), bob).hits] == [shelf[1].pk]
    everything = Asset.objects.all()
    assert not must_say(everything, "his keeper and").exists()
    assert must_say(everything, "Ete a la plage").count() == 1


def test_a_phrase_does_not_reach_from_one_field_into_the_next(shelf: list[Asset]) -> None:
    everything = Asset.objects.all()
    assert must_say(everything, "half timbered house").count() == 1
    assert not must_say(everything, "03 the half").exists()
    assert not must_say(everything, "rest the").exists()


def test_beginnings_of_words_rank_but_only_whole_words_are_said(
    shelf: list[Asset], bob: User, fake_space: Space
) -> None:
    Asset.objects.filter(pk=shelf[5].pk).update(title="Cathedral")
    Asset.objects.filter(pk=shelf[6].pk).update(title="Two cats")
    remember_text(fake_space, "cat", Encoded(random_rows(40)[30]))
    hits = {hit.asset.pk: hit for hit in search(Query(text="cat"), bob).hits}
    assert (hits[shelf[6].pk].said, hits[shelf[5].pk].said) == (True, False)


def test_what_says_something_unwanted_is_not_said_to_match(shelf: list[Asset], bob: User, fake_space: Space) -> None:
    Asset.objects.filter(pk=shelf[5].pk).update(title="A boat at sunset")
    for text in ("boat", "sunset"):
        remember_text(fake_space, text, Encoded(random_rows(40)[30]))
    hits = {hit.asset.pk: hit for hit in search(Query(text="boat", without="sunset"), bob).hits}
    assert hits[shelf[1].pk].said  # two boats, and no sunset
    assert not hits[shelf[5].pk].said


def test_what_says_it_is_found_before_the_model_has_seen_it(shelf: list[Asset], bob: User, fake_space: Space) -> None:
    Embedding.objects.filter(asset=shelf[1]).delete()
    remember_text(fake_space, "lighthouse", Encoded(random_rows(40)[30]))
    assert shelf[1].pk in [hit.asset.pk for hit in search(Query(text="lighthouse"), bob).hits]


def test_what_says_it_and_what_looks_like_it_are_both_found(shelf: list[Asset], bob: User, fake_space: Space) -> None:
    remember_text(fake_space, "lighthouse", Encoded(random_rows(40)[30]))
    answer = search(Query(text="lighthouse"), bob)
    first = [hit.asset.pk for hit in answer.hits[:2]]
    assert set(first) == {shelf[30].pk, shelf[1].pk}
    (keeper,) = (hit for hit in answer.hits if hit.asset.pk == shelf[1].pk)
    assert (keeper.said, keeper.well, keeper.words) == (True, True, "says it")
    assert len(answer.hits) == 40


def test_tags_are_words_and_follow_every_change(shelf: list[Asset], alice: User) -> None:
    regatta = Concept.objects.create(slug="regatta", name="Regatta Kiel")
    Tag.objects.bulk_create([Tag(asset=shelf[5], concept=regatta), Tag(asset=shelf[6], concept=regatta)])
    assert set(said("regatta")) == {shelf[5].pk, shelf[6].pk}
    Tag.objects.filter(asset=shelf[5]).update(state="rejected")
    assert said("regatta") == [shelf[6].pk]
    regatta.name = "Woche"
    regatta.save()
    assert (said("regatta"), said("woche")) == ([], [shelf[6].pk])
    Tag.objects.all().delete()
    assert said("woche") == []
    Asset.objects.filter(pk=shelf[7].pk).update(caption="Woche")
    assert said("woche") == [shelf[7].pk]


def test_a_caption_of_a_million_letters_stops_nobody(shelf: list[Asset]) -> None:
    Asset.objects.filter(pk=shelf[8].pk).update(caption="anchor " * 200_000)
    assert said("anchor") == [shelf[8].pk]


def test_what_may_not_be_seen_says_nothing(shelf: list[Asset], visitor: User) -> None:
    assert find_sayings(Asset.objects.visible_to(visitor), "boats", 10) == []


def test_the_two_rankings_take_turns_and_an_exact_name_comes_first() -> None:
    assert fuse([1, 2, 3], []) == [1, 2, 3]
    assert fuse([1, 2, 3], [Saying(3), Saying(9)])[0] == 3
    assert set(fuse([1, 2], [Saying(9)])[:2]) == {1, 9}
    assert fuse([1, 2, 3], [Saying(7, exactly=True), Saying(1)])[:2] == [7, 1]


def test_quotes_are_read_as_words() -> None:
    assert read_phrases('a "red boat" and "  " "x-y"') == ("red boat", "x y")
    assert read_words('the "red" boat, red') == ("red", "boat")

"""Tags: what may be a name, who puts them on, and that a change can be taken back exactly."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection

from archive.models import Asset, Collection, Concept, Tag, TagSource, TagState
from archive.tag_names import BadTag, clean_name, clean_names
from archive.tags import add_tags, get_concepts, put_back, remove_tags, tags_of
from tests.archive.test_visibility import put

pytestmark = pytest.mark.django_db


def names_of(asset: Asset) -> list[str]:
    return [concept.name for concept in tags_of(asset)]


@pytest.fixture
def boat(harbour: Collection) -> Asset:
    return put(harbour, "boat")


@pytest.mark.parametrize(
    ("written", "kept"),
    [("  red   boat ", "red boat"), ("e\u0301te\u0301", "été"), ("\tharbour\n", "harbour"), ("  ", ""), ("C++", "C++")],
)
def test_a_name_is_trimmed_and_composed(written: str, kept: str) -> None:
    assert clean_name(written) == kept


def test_an_emoji_of_several_parts_and_a_persian_word_are_names() -> None:
    for name in ("👨\u200d👩\u200d👧", "می\u200cخواهم"):
        assert clean_name(name) == name


@pytest.mark.parametrize("bad", ["a\0b", "a\x07b", "\u202egnp", "x" * 81, "x" * 10_000, "\ufdfa" * 80])
def test_what_cannot_be_a_tag_is_refused_with_a_sentence(bad: str) -> None:
    with pytest.raises(BadTag, match="tag"):
        clean_name(bad)


def test_commas_separate_and_each_name_counts_once() -> None:
    assert clean_names(["Boat, harbour", "boat", " , ", "ÉTÉ", "été"]) == ["Boat", "harbour", "ÉTÉ"]


def test_ten_thousand_names_are_too_many() -> None:
    with pytest.raises(BadTag, match="At most 50"):
        clean_names(f"tag {n}" for n in range(10_000))


def test_spellings_that_differ_in_case_only_are_one_concept(boat: Asset, alice: User) -> None:
    add_tags(Asset.objects.all(), ["Été"], alice)
    add_tags(Asset.objects.all(), ["ÉTÉ"], alice)
    assert names_of(boat) == ["Été"]
    assert Concept.objects.count() == 1


def test_names_that_share_an_address_get_one_each(alice: User) -> None:
    slugs = {concept.slug for concept in get_concepts(["C", "C++", "C#", "!!!", "日本"], alice)}
    assert slugs == {"c", "c-2", "c-3", "tag", "日本"}


def test_adding_twice_changes_nothing_the_second_time(boat: Asset, alice: User) -> None:
    assert set(add_tags(Asset.objects.all(), ["boat", "red"], alice)) == {boat.pk}
    assert add_tags(Asset.objects.all(), ["red", "boat"], alice) == {}
    assert names_of(boat) == ["boat", "red"]


def test_what_a_person_put_on_leaves_no_trace_and_a_proposal_is_rejected(boat: Asset, alice: User) -> None:
    add_tags(Asset.objects.all(), ["mine"], alice)
    theirs = get_concepts(["theirs"], alice)[0]
    Tag.objects.create(asset=boat, concept=theirs, state=TagState.ACCEPTED, source=TagSource.FILE)
    remove_tags(Asset.objects.all(), ["mine", "theirs", "never seen"], alice)
    left = Tag.objects.get()
    assert (left.concept, left.state, left.by) == (theirs, TagState.REJECTED, alice)
    assert names_of(boat) == []


def test_a_proposal_is_accepted_by_adding_it(boat: Asset, alice: User) -> None:
    concept = get_concepts(["sea"], alice)[0]
    Tag.objects.create(asset=boat, concept=concept, state=TagState.PROPOSED, source=TagSource.MODEL, score=0.7)
    assert names_of(boat) == []
    add_tags(Asset.objects.all(), ["Sea"], alice)
    tag = Tag.objects.get()
    assert (tag.state, tag.source, tag.score, tag.by) == (TagState.ACCEPTED, TagSource.MODEL, 0.7, alice)


def rows() -> list[tuple[object, ...]]:
    fields = ("asset", "concept", "state", "source", "space", "score", "by", "at")
    return sorted(Tag.objects.values_list(*fields), key=repr)


def test_a_change_is_taken_back_to_the_last_field(harbour: Collection, alice: User, bob: User) -> None:
    boat, tree = put(harbour, "boat"), put(harbour, "tree")
    sea, old = get_concepts(["sea", "old"], bob)
    Tag.objects.create(asset=boat, concept=sea, state=TagState.REJECTED, source=TagSource.MODEL, score=0.2, by=bob)
    Tag.objects.create(asset=tree, concept=old, by=bob)
    before = rows()
    added = add_tags(Asset.objects.all(), ["sea", "new", "old"], alice)
    removed = remove_tags(Asset.objects.all(), ["old", "sea"], alice)
    assert put_back(removed) == {boat.pk, tree.pk}
    assert put_back(added) == {boat.pk, tree.pk}
    assert rows() == before


def test_what_somebody_touched_since_stays(harbour: Collection, alice: User, bob: User) -> None:
    boat, tree = put(harbour, "boat"), put(harbour, "tree")
    changes = add_tags(Asset.objects.all(), ["sea"], alice)
    remove_tags(Asset.objects.filter(pk=boat.pk), ["sea"], bob)
    add_tags(Asset.objects.filter(pk=boat.pk), ["sea"], bob)
    assert put_back(changes) == {tree.pk}
    assert (names_of(boat), names_of(tree)) == (["sea"], [])


def test_tags_of_a_concept_that_is_gone_do_not_come_back(boat: Asset, alice: User) -> None:
    add_tags(Asset.objects.all(), ["sea"], alice)
    changes = remove_tags(Asset.objects.all(), ["sea"], alice)
    Concept.objects.all().delete()
    assert put_back(changes) == set()
    assert not Tag.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_tag_comes_back_without_the_account_that_was_deleted_meanwhile(
    boat: Asset, alice: User, visitor: User
) -> None:
    add_tags(Asset.objects.all(), ["sea"], visitor)
    changes = remove_tags(Asset.objects.all(), ["sea"], alice)
    for many in changes.values():
        for change in many:
            assert change["was"]
            change["was"]["space"] = 999_999  # one that is gone
    visitor.delete()
    assert put_back(changes) == {boat.pk}
    tag = Tag.objects.get()
    assert (tag.state, tag.by, tag.space) == (TagState.ACCEPTED, None, None)


@pytest.mark.django_db(transaction=True)
def test_many_who_make_one_tag_at_the_same_moment_make_one(harbour: Collection, alice: User) -> None:
    boat = put(harbour, "boat")

    def tag(name: str) -> None:
        add_tags(Asset.objects.filter(pk=boat.pk), [name], alice)
        connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(tag, ["sea", "Sea", "SEA", "sky", "sea", "Sky", "SEA", "sky"]))
    assert Concept.objects.count() == Tag.objects.count() == 2

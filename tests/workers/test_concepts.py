"""Concepts at work: their words are read once a space, new pictures are compared at once, stored ones in a pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.files.storage import Storage

from archive.concepts import passes
from archive.concepts.passes import find_pass, mark_due, start_due, walk_chunk, walk_on
from archive.concepts.vectors import find_concept_vectors
from archive.models import (
    Asset,
    Collection,
    Concept,
    ConceptPass,
    ConceptVector,
    OnMatch,
    PassState,
    Space,
    SpaceState,
    Tag,
    TagSource,
    TagState,
)
from archive.spaces import activate
from archive.tags import add_tags, forget_judgement, judge_tag, remove_tags
from tests.pictures import distinct
from tests.prepared import Rows, make_encoded, make_prepared, random_rows, vector_of
from workers.concepts import look_after_concepts, read_concepts
from workers.encode import drain_encode
from workers.encoders.fake import FakeEncoder
from workers.spaces import make_space

pytestmark = pytest.mark.django_db


def make(name: str, on_match: OnMatch = OnMatch.PROPOSE, **fields: object) -> Concept:
    return Concept.objects.create(name=name, slug=name, on_match=on_match, **fields)


def choose_line(concept: Concept, line: float) -> None:
    ConceptVector.objects.filter(concept=concept).update(chosen=line, due=True)


@dataclass(frozen=True)
class Stocked:
    space: Space
    assets: list[Asset]
    rows: Rows


@pytest.fixture
def stocked(fake_space: Space, harbour: Collection) -> Stocked:
    rows = random_rows(60)
    return Stocked(fake_space, make_encoded(harbour, fake_space, rows), rows)


def walk() -> None:
    start_due()
    walk_on()


def of(concept: Concept) -> dict[int, Tag]:
    return {tag.asset_id: tag for tag in Tag.objects.filter(concept=concept)}


def test_words_are_read_once_a_space_and_never_again(stocked: Stocked, monkeypatch: pytest.MonkeyPatch) -> None:
    make("boat")
    asked: list[str] = []
    encode = FakeEncoder.encode_texts

    def listen(self: FakeEncoder, texts: list[str]) -> Rows:
        asked.extend(texts)
        return encode(self, texts)

    monkeypatch.setattr(FakeEncoder, "encode_texts", listen)
    assert read_concepts() == 1
    assert "a photo of a boat" in asked
    asked.clear()
    assert read_concepts() == 0
    look_after_concepts()
    assert asked == []
    make_space("other", "fake", "other")  # a new space is the one reason to read them again
    asked.clear()
    assert read_concepts() == 1
    assert "a photo of a boat" in asked


def test_a_concept_that_people_tag_with_is_not_looked_for(stocked: Stocked, alice: User) -> None:
    add_tags(Asset.objects.filter(pk=stocked.assets[0].pk), ["boat"], alice)
    assert read_concepts() == 0
    assert not ConceptVector.objects.exists()


def test_a_pass_tags_what_reaches_the_line_and_opens_no_file(stocked: Stocked, monkeypatch: pytest.MonkeyPatch) -> None:
    boat = make("boat")
    read_concepts()
    choose_line(boat, 1.0)
    monkeypatch.setattr(Storage, "open", lambda *_: pytest.fail("a file was opened"))
    walk()
    found = find_concept_vectors(stocked.space, [boat])
    scores = (stocked.rows @ found.vectors[0] - found.backgrounds[0, 0]) / found.backgrounds[0, 1]
    expected = {asset.pk for asset, one in zip(stocked.assets, scores, strict=True) if one >= 1.0}
    assert 0 < len(expected) < 30
    tags = of(boat)
    assert set(tags) == expected
    assert {(t.state, t.source, t.space_id, t.by, t.decided) for t in tags.values()} == {
        (TagState.PROPOSED, TagSource.MODEL, stocked.space.pk, None, False)
    }
    assert max(abs(tags[a.pk].score - s) for a, s in zip(stocked.assets, scores, strict=True) if a.pk in tags) < 0.02
    done = find_pass(boat)
    assert done
    assert (done.state, done.done, done.found) == (PassState.DONE, 60, len(expected))


def test_another_line_takes_back_and_puts_on_and_another_setting_accepts(stocked: Stocked) -> None:
    boat = make("boat")
    read_concepts()
    counts = []
    for line in (0.5, 1.5, 1.0):
        choose_line(boat, line)
        walk()
        counts.append(len(of(boat)))
    assert counts[0] > counts[2] > counts[1]
    boat.on_match = OnMatch.ACCEPT
    boat.save()
    mark_due([boat])
    walk()
    assert Tag.objects.accepted().filter(concept=boat).count() == counts[2]


def test_scope_says_where_it_is_looked_for(stocked: Stocked, alice: User) -> None:
    attic = Collection.objects.create(slug="attic", name="Attic", owner=alice)
    there = make_encoded(attic, stocked.space, stocked.rows, prefix="attic")
    boat = make("boat")
    boat.scope.add(attic)
    read_concepts()
    choose_line(boat, 0.5)
    walk()
    assert of(boat)
    assert set(of(boat)) <= {asset.pk for asset in there}
    boat.scope.set(Collection.objects.filter(slug="harbour"))
    mark_due([boat])
    walk()
    assert of(boat)
    assert not set(of(boat)) & {asset.pk for asset in there}


def test_a_person_is_never_overruled(stocked: Stocked, alice: User) -> None:
    boat = make("boat", OnMatch.ACCEPT)
    read_concepts()
    choose_line(boat, 1.0)
    walk()
    seen = sorted(of(boat))
    wrong, gone = seen[0], seen[1]
    missed = next(asset.pk for asset in stocked.assets if asset.pk not in seen)
    remove_tags(Asset.objects.filter(pk=wrong), ["boat"], alice)
    add_tags(Asset.objects.filter(pk=missed), ["boat"], alice)
    add_tags(Asset.objects.filter(pk=gone), ["boat"], alice)
    remove_tags(Asset.objects.filter(pk=gone), ["boat"], alice)
    alice.owned_collections.update(owner=User.objects.create_user("heir"))
    alice.delete()  # nor once the account is gone
    for line in (-9.0, 9.0):
        choose_line(boat, line)
        walk()
        states = {pk: tag.state for pk, tag in of(boat).items()}
        assert states[wrong] == states[gone] == TagState.REJECTED
        assert states[missed] == TagState.ACCEPTED
        assert len(states) == (60 if line < 0 else 3)


def test_a_decision_survives_a_new_model(stocked: Stocked, alice: User) -> None:
    boat = make("boat", OnMatch.ACCEPT)
    read_concepts()
    choose_line(boat, 0.8)
    walk()
    seen = sorted(of(boat))
    remove_tags(Asset.objects.filter(pk=seen[0]), ["boat"], alice)
    add_tags(Asset.objects.filter(pk=seen[1]), ["boat"], alice)
    other = make_space("other", "fake", "other")
    # In the new space every picture is the concept itself: whatever a model can say, it says.
    read_concepts()
    vector = find_concept_vectors(other, [boat]).vectors[0]
    from archive.models import Frame
    from archive.vectors import store_vectors

    frames = dict(Frame.objects.values_list("asset_id", "pk"))
    ids = [asset.pk for asset in stocked.assets]
    store_vectors(other, [frames[pk] for pk in ids], ids, np.tile(vector, (60, 1)))
    activate(other, even_if_partial=True, even_if_unindexed=True)
    choose_line(boat, -1.0)
    walk()
    tags = of(boat)
    assert len(tags) == 60
    assert tags[seen[0]].state == TagState.REJECTED
    assert tags[seen[1]].state == TagState.ACCEPTED
    assert (tags[seen[0]].by, tags[seen[1]].by) == (alice, alice)
    assert {tag.space for pk, tag in tags.items() if pk not in seen[:2]} == {other}
    activate(stocked.space, even_if_partial=True)  # and back: what only the other model saw goes
    walk()
    assert set(of(boat)) < set(tags)
    assert of(boat)[seen[0]].state == TagState.REJECTED


def test_a_rejection_stands_before_any_model_spoke_until_it_is_forgotten(stocked: Stocked, alice: User) -> None:
    boat = make("boat")
    one = Asset.objects.filter(pk=stocked.assets[0].pk)
    judge_tag(one, boat, TagState.REJECTED, alice)
    read_concepts()
    choose_line(boat, -9.0)
    walk()
    assert of(boat)[stocked.assets[0].pk].state == TagState.REJECTED
    forget_judgement(one, boat)
    mark_due([boat])
    walk()
    assert of(boat)[stocked.assets[0].pk].state == TagState.PROPOSED


@pytest.mark.django_db(transaction=True)
def test_a_new_picture_has_its_tags_with_its_vector(fake_space: Space, harbour: Collection) -> None:
    make_encoded(harbour, fake_space, random_rows(40))
    boat, never = make("boat", OnMatch.ACCEPT), make("never")
    read_concepts()
    choose_line(boat, -50.0)
    choose_line(never, 50.0)
    start_due()
    ConceptPass.objects.all().delete()  # no pass helps
    asset = make_prepared(harbour, distinct(3), fake_space)
    drain_encode()
    tag = Tag.objects.get(asset=asset)
    assert (tag.concept, tag.state, tag.source) == (boat, TagState.ACCEPTED, TagSource.MODEL)
    found = find_concept_vectors(fake_space, [boat])
    closeness = float(vector_of(fake_space, asset) @ found.vectors[0])
    assert tag.score == pytest.approx((closeness - found.backgrounds[0, 0]) / found.backgrounds[0, 1], abs=0.05)


@pytest.mark.django_db(transaction=True)
def test_what_is_written_to_a_space_that_is_filled_is_not_tagged(fake_space: Space, harbour: Collection) -> None:
    make_encoded(harbour, fake_space, random_rows(40))
    other = make_space("other", "fake", "other")
    boat = make("boat")
    read_concepts()
    assert ConceptVector.objects.filter(concept=boat, space=other).exists()
    ConceptVector.objects.filter(space=other).update(chosen=-50)
    ConceptVector.objects.filter(space=fake_space).update(chosen=50)
    make_prepared(harbour, distinct(3), other)
    drain_encode()
    assert not Tag.objects.exists()


def test_a_pass_that_was_cut_short_goes_on_where_it_was(stocked: Stocked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "ROWS", 25)
    boat = make("boat")
    read_concepts()
    choose_line(boat, -9.0)
    start_due()
    assert walk_chunk()
    half = find_pass(boat)
    assert half
    assert (half.state, half.done, len(of(boat))) == (PassState.RUNNING, 24, 24)
    from archive.concepts.heeding import heed

    def die(*args: object, **options: object) -> int:
        heed(*args, **options)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(passes, "heed", die)
    with pytest.raises(KeyboardInterrupt):
        walk_chunk()
    assert len(of(boat)) == 24  # what it wrote went with it
    monkeypatch.setattr(passes, "heed", heed)
    walk_on()
    half.refresh_from_db()
    assert (half.state, half.done, half.found, len(of(boat))) == (PassState.DONE, 60, 60, 60)


def test_concepts_that_wait_are_walked_together(stocked: Stocked) -> None:
    boats = [make(name) for name in ("boat", "tree", "house")]
    read_concepts()
    late = make("late")
    read_concepts()
    walk = ConceptPass.objects.get()
    assert set(walk.concepts.all()) == {*boats, late}
    assert start_due() is None


def test_a_pass_ends_when_its_space_is_searched_no_more(stocked: Stocked) -> None:
    make("boat")
    read_concepts()
    other = make_space("other", "fake", "other")
    activate(other, even_if_partial=True)
    walk_on()
    assert ConceptPass.objects.get(space=stocked.space).state == PassState.STOPPED
    assert Space.objects.get(pk=stocked.space.pk).state == SpaceState.READY


def test_the_background_is_taken_again_once_there_is_an_archive(fake_space: Space, harbour: Collection) -> None:
    make("boat")
    read_concepts()
    assert ConceptVector.objects.get().pictures == 0
    make_encoded(harbour, fake_space, random_rows(40))
    assert read_concepts() == 1
    assert ConceptVector.objects.get().pictures == 40
    assert read_concepts() == 0

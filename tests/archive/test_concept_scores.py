"""Scores of concepts: what they mean, in one product, whatever is mistaken for what."""

from __future__ import annotations

import numpy as np
import pytest
from django.contrib.auth.models import User

from archive.concepts.background import read_background
from archive.concepts.scoring import best_by_asset, score, there
from archive.concepts.vectors import find_concept_vectors, find_unmade, store_concepts
from archive.concepts.words import BadPrompt, clean_lines, clean_templates, every_text, texts_of, unit
from archive.models import Collection, Concept, ConceptExample, ConceptHead, ConceptVector, Space
from archive.vectors import Rows
from tests.prepared import make_encoded, random_rows
from workers.encoders.fake import FakeEncoder

pytestmark = pytest.mark.django_db


def make(name: str, **fields: object) -> Concept:
    return Concept.objects.create(name=name, slug=name, **fields)


def read(concepts: list[Concept]) -> dict[str, np.ndarray]:
    texts = every_text(concepts)
    return dict(zip(texts, FakeEncoder().encode_texts(texts), strict=True))


def test_a_prompt_stands_in_every_template_and_the_name_where_there_is_none() -> None:
    assert texts_of(Concept(name="boat", templates=["a {}", "{}s"])) == ["a boat", "boats"]
    assert texts_of(Concept(name="x", prompts=["boat", "ship"], templates=["a {}"])) == ["a boat", "a ship"]
    assert len(texts_of(Concept(name="boat"))) > 3


def test_what_cannot_be_a_prompt_or_template_says_why() -> None:
    assert clean_lines(" a  boat \n\na boat\nship", 5, "prompts") == ["a boat", "ship"]
    for bad, why in (("a\n" * 9 + "b\nc\nd", None), ("x" * 201, "200 characters")):
        if why:
            with pytest.raises(BadPrompt, match=why):
                clean_lines(bad, 5, "prompts")
    with pytest.raises(BadPrompt, match="At most 2"):
        clean_lines("a\nb\nc", 2, "prompts")
    with pytest.raises(BadPrompt, match="the place where the prompt goes"):
        clean_templates("a photo")


def test_a_score_is_in_spreads_of_pictures_at_large(fake_space: Space, harbour: Collection) -> None:
    rows = random_rows(60)
    make_encoded(harbour, fake_space, rows)
    boat, tree = make("boat"), make("tree")
    store_concepts(fake_space, [boat, tree], read([boat, tree]))
    found = find_concept_vectors(fake_space, Concept.objects.all())
    assert found.ids == [boat.pk, tree.pk]
    scores = score(rows, found)
    assert scores.shape == (60, 2)
    assert np.abs(scores.mean(axis=0)).max() < 0.05
    assert np.abs(scores.std(axis=0) - 1).max() < 0.05
    by_hand = (rows @ found.vectors[0] - found.backgrounds[0, 0]) / found.backgrounds[0, 1]
    assert np.allclose(scores[:, 0], by_hand, atol=1e-4)


def test_what_it_is_mistaken_for_takes_from_its_score_alone(fake_space: Space, harbour: Collection) -> None:
    rows = random_rows(60)
    make_encoded(harbour, fake_space, rows)
    plain, wary = make("plain", prompts=["boat"]), make("wary", prompts=["boat"], negatives=["toy", "picture"])
    other = make("z")
    store_concepts(fake_space, [plain, wary, other], read([plain, wary, other]))
    found = find_concept_vectors(fake_space, Concept.objects.all())
    assert found.rivals.shape == (2, 768)
    assert found.rival_of.tolist() == [1, 1]
    scores = score(rows, found)
    likeness = (rows @ found.rivals.T - found.rival_backgrounds[:, 0]) / found.rival_backgrounds[:, 1]
    expected = scores[:, 0] - np.maximum(0, likeness.max(axis=1) - 0.5)
    assert np.allclose(scores[:, 1], expected, atol=1e-3)
    assert np.allclose(scores[:, 2], score(rows, find_concept_vectors(fake_space, [other]))[:, 0], atol=1e-4)


def test_vectors_are_made_once_and_again_only_for_other_words_or_examples(
    fake_space: Space, harbour: Collection
) -> None:
    boat = make("boat")
    asset = make_encoded(harbour, fake_space, random_rows(1))[0]
    assert find_unmade(fake_space, [boat]) == [boat]
    store_concepts(fake_space, [boat], read([boat]))
    before = ConceptVector.objects.get()
    assert find_unmade(fake_space, [boat]) == []
    boat.note = "any vessel"
    boat.save()
    assert find_unmade(fake_space, [boat]) == []
    ConceptExample.objects.create(concept=boat, asset=asset)
    assert find_unmade(fake_space, [boat]) == [boat]
    ConceptVector.objects.update(chosen=1.5)
    store_concepts(fake_space, [boat], read([boat]))
    after = ConceptVector.objects.get()
    assert (after.pk, after.chosen) == (before.pk, 1.5)
    assert after.vector != before.vector
    assert find_concept_vectors(fake_space, [boat]).thresholds.tolist() == [1.5]


def test_examples_and_counter_examples_move_scores_their_way(fake_space: Space, harbour: Collection) -> None:
    rows = random_rows(80)
    assets = make_encoded(harbour, fake_space, rows)
    boat = make("boat")
    store_concepts(fake_space, [boat], read([boat]))
    before = score(rows, find_concept_vectors(fake_space, [boat]))[:, 0]
    ConceptExample.objects.create(concept=boat, asset=assets[3])
    ConceptExample.objects.create(concept=boat, asset=assets[7], counter=True)
    store_concepts(fake_space, [boat], read([boat]))
    after = score(rows, find_concept_vectors(fake_space, [boat]))[:, 0]
    assert after[3] > before[3] + 0.5
    assert after[7] < before[7] - 0.5


def test_a_head_in_use_stands_for_the_words(fake_space: Space, harbour: Collection, alice: User) -> None:
    rows = random_rows(30)
    make_encoded(harbour, fake_space, rows)
    boat = make("boat", negatives=["toy"])
    store_concepts(fake_space, [boat], read([boat]))
    learnt = unit(rows[4])
    head = ConceptHead(concept=boat, space=fake_space, version=1, in_use=True, vector=learnt.tobytes())
    head.mean, head.spread, head.line, head.accepted, head.rejected = 0.1, 0.2, 2.5, 10, 10
    head.save()
    found = find_concept_vectors(fake_space, [boat])
    assert (found.thresholds.tolist(), len(found.rivals)) == ([2.5], 0)
    assert np.allclose(score(rows, found)[:, 0], (rows @ learnt - 0.1) / 0.2, atol=1e-3)


def test_no_archive_yet_still_gives_a_finite_line(fake_space: Space) -> None:
    boat = make("boat")
    store_concepts(fake_space, [boat], read([boat]))
    row = ConceptVector.objects.get()
    assert row.pictures == 0
    assert np.isfinite([row.mean, row.spread, row.line]).all()
    assert read_background(fake_space).known == 0


def test_no_concepts_give_no_scores(fake_space: Space) -> None:
    found = find_concept_vectors(fake_space, [])
    assert score(random_rows(3), found).shape == (3, 0)


def test_the_best_second_of_a_video_counts_for_each_concept_its_own() -> None:
    rows = Rows([11, 12, 13, 21], [7, 7, 7, 5], random_rows(4))
    scores = np.array([[1, 9], [4, 2], [3, 3], [0, 0]], dtype=np.float32)
    best = best_by_asset(rows, scores)
    assert best.assets == [5, 7]
    assert best.scores.tolist() == [[0, 0], [4, 9]]
    assert best.frames.tolist() == [[21, 21], [12, 11]]
    assert there(best.scores, [4, 10]).tolist() == [[False, False], [True, False]]


def test_photos_keep_their_frames() -> None:
    best = best_by_asset(Rows([12, 11], [9, 3], random_rows(2)), np.array([[1.0], [2.0]], dtype=np.float32))
    assert (best.assets, best.frames.tolist(), best.scores.tolist()) == ([3, 9], [[11], [12]], [[2.0], [1.0]])

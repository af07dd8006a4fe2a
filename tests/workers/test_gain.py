"""What counts as gain: ranks among held-out pictures, and more than luck."""

from __future__ import annotations

import numpy as np

from archive.gains import in_words
from workers.adapting.gain import figures, judge, ranks
from workers.encoders.protocol import unit_padded

AXES = unit_padded(np.eye(6))


def test_the_rank_of_a_caption_is_that_of_the_first_picture_it_belongs_to() -> None:
    pictures = AXES[[0, 1, 2, 3]]
    texts = unit_padded(np.array([[1, 0.5, 0, 0], [0.1, 0.05, 1, 0], [0, 0.4, 0.3, 0.2], [0, 0, 0, 1]]))
    assert ranks(texts, pictures, np.arange(4)).tolist() == [0, 2, 1, 0]


def test_equal_captions_count_once_and_any_of_their_pictures_is_right() -> None:
    pictures = AXES[[0, 1, 2, 0]]
    texts = AXES[[0, 0, 2, 0]]
    assert ranks(texts, pictures, np.array([7, 7, 9, 7])).tolist() == [0, 0]


def test_vectors_that_have_all_become_the_same_find_nothing() -> None:
    assert ranks(AXES[[0] * 5], AXES[[0] * 5], np.arange(5)).tolist() == [4] * 5


def test_figures_are_shares_of_captions() -> None:
    found = figures(np.array([0, 0, 1, 4, 9]))
    assert found.as_json() == {"R@1": 0.4, "R@5": 0.8, "MRR": round((1 + 1 + 1 / 2 + 1 / 5 + 1 / 10) / 5, 4)}


def test_a_few_lucky_captions_are_no_gain_and_many_are() -> None:
    before = np.full(100, 3)
    lucky = before.copy()
    lucky[:3], lucky[3:5] = 0, 9
    assert judge(before, lucky, 100).adapted.reciprocal_rank > judge(before, lucky, 100).parent.reciprocal_rank
    assert not judge(before, lucky, 100).is_real
    better = before.copy()
    better[:30], better[30:35] = 0, 9
    assert judge(before, better, 100).is_real


def test_no_change_and_a_loss_are_no_gain() -> None:
    before = np.arange(50) % 5
    assert not judge(before, before, 50).is_real
    worse = judge(before, before + 2, 50)
    assert not worse.is_real
    assert worse.high < 0


def test_the_sentence_has_the_figures() -> None:
    said = in_words(judge(np.array([0, 1, 2, 3]), np.array([0, 1, 2, 9]), 4).as_json())
    assert "4 captions" in said
    assert "25.0% of them (without it 25.0%)" in said
    assert "75.0% (100.0%)" in said
    assert "-0.037" in said

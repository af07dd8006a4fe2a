"""Poolings of frames: what each makes of a video, and how they are measured on films whose scenes are known."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from archive.vectors import Vector
from search.evaluation.pooling import (
    POOLINGS,
    Asked,
    Film,
    Found,
    best_moment,
    mean,
    measure,
    ndcg,
    opens_at,
    weighted_mean,
    winner,
)
from workers.filming.judged import MOST_RIGHT, make_films, sentences, short_words
from workers.scenes.captions import Terms, ThingTerm, matches


def axis(*numbers: int) -> Vector:
    """Unit vectors (n, 768) along these axes."""
    return np.eye(768, dtype=np.float32)[list(numbers)]


QUERY = axis(0)[0]
# One moment of four is what is asked for; and a film that is a little of it all the time.
BRIEF = Film(axis(5, 0, 6, 7), [0.0, 1.0, 2.0, 3.0])
MILD = Film(np.repeat(axis(0) * 0.6 + axis(9) * 0.8, 4, axis=0), [0.0] * 4)


# ---- the poolings ------------------------------------------------------------------------------


def test_a_mean_dilutes_a_moment_and_the_best_moment_does_not() -> None:
    assert mean(BRIEF.vectors, QUERY) == pytest.approx(0.5)
    assert mean(MILD.vectors, QUERY) == pytest.approx(0.6)
    assert best_moment(BRIEF.vectors, QUERY) == pytest.approx(1.0)
    assert best_moment(MILD.vectors, QUERY) == pytest.approx(0.6)


@pytest.mark.parametrize(("temperature", "like"), [(1e5, mean), (0.001, best_moment)])
def test_a_weighted_mean_lies_between_the_two(temperature: float, like: Any) -> None:
    assert weighted_mean(temperature)(BRIEF.vectors, QUERY) == pytest.approx(like(BRIEF.vectors, QUERY), abs=1e-3)


# ---- the measures ------------------------------------------------------------------------------


def test_a_hit_opens_where_the_shot_of_its_closest_frame_begins() -> None:
    assert opens_at(Film(axis(5, 6, 0, 7), [0.0, 1.0, 1.0, 3.0]), QUERY) == 1.0


def test_a_film_counts_as_opened_within_a_second_of_its_scene() -> None:
    films = [BRIEF, MILD]
    near = measure(films, [Asked(QUERY, {0: [1.9]})], "best moment", best_moment)
    far = measure(films, [Asked(QUERY, {0: [2.2]})], "best moment", best_moment)
    assert (near.r1, near.second) == (1.0, 1.0)
    assert (far.r1, far.second) == (1.0, 0.0)
    missed = measure(films, [Asked(QUERY, {0: [1.0]})], "mean", mean)
    assert (missed.r1, missed.r5, missed.second) == (0.0, 1.0, 0.0)


def test_gain_is_discounted_by_rank_and_shared_by_all_that_is_right() -> None:
    assert ndcg([3, 1, 2], {3: ()}) == 1.0
    assert ndcg([1, 3, 2], {3: ()}) == pytest.approx(1 / np.log2(3))
    assert ndcg([1, 2], {3: ()}) == 0.0
    assert ndcg([3, 1], {3: (), 1: ()}) == 1.0


def test_the_winner_finds_most_and_opens_best_over_all_kinds_of_questions() -> None:
    def found(pooling: str, value: float) -> Found:
        return Found(pooling, 10, 0.0, 0.0, value, value)

    one = [found("mean", 0.9), found("best moment", 0.8), found("weighted mean", 0.1)]
    other = [found("mean", 0.2), found("best moment", 0.7), found("weighted mean", 0.1)]
    assert winner(one) == "mean"
    assert winner(one, other) == "best moment"


# ---- the films ---------------------------------------------------------------------------------


def test_a_sentence_is_true_of_one_film_and_of_one_second() -> None:
    films = make_films(5, seed=3)
    asked = sentences(films, seed=3)
    assert len(asked) == sum(len(film.scenes) for film in films)
    every = [(number, start) for number, film in enumerate(films) for start in film.starts]
    for one, (number, start) in zip(asked, every, strict=True):
        assert start in one.right[number]
        assert len(one.right) == 1


def test_short_words_are_true_of_a_few_films_and_of_the_scenes_that_are_named() -> None:
    films = make_films(8, seed=3)
    asked = {one.text: one.right for one in short_words(films)}
    assert len(asked) > 50
    assert all(0 < len(right) <= MOST_RIGHT * len(films) for right in asked.values())
    checked = 0
    for thing in ("boat", "car", "house", "kite", "bird", "lighthouse", "mushroom", "bicycle"):
        right = asked.get(f"a {thing}")
        if right is None:  # in too many films
            continue
        checked += 1
        for number, film in enumerate(films):
            pairs = zip(film.scenes, film.starts, strict=True)
            starts = [start for scene, start in pairs if matches(scene, Terms((ThingTerm(thing),)))]
            assert right.get(number, []) == starts
    assert checked > 2


def test_films_are_sampled_each_second_from_the_first_to_the_last() -> None:
    (film, again), (other,) = make_films(2, seed=3), make_films(1, seed=4)
    assert film == make_films(2, seed=3)[0]
    assert film != other
    stills = list(film.stills())
    assert len(stills) == np.ceil(film.seconds)
    assert len(list(again.stills())) == np.ceil(again.seconds)
    assert np.asarray(stills[0]).shape == (120, 160, 3)


# ---- the command -------------------------------------------------------------------------------


def evaluate(**options: Any) -> str:
    out = StringIO()
    call_command("evaluate", videos=True, stdout=out, **options)
    return out.getvalue()


def test_the_best_moment_finds_more_than_the_mean_and_is_what_search_does() -> None:
    told = json.loads(evaluate(films=24, seed=5, json=True))
    rows = {(row["questions"], row["pooling"]): row for row in told["rows"]}
    assert set(rows) == {(kind, name) for kind in ("sentences", "short words") for name in POOLINGS}
    best, averaged = rows["sentences", "best moment"], rows["sentences", "mean"]
    assert best["R@1"] > 0.8 > averaged["R@1"]
    assert best["second"] > 0.75
    assert best["nDCG@10"] > rows["short words", "best moment"]["nDCG@10"] > rows["short words", "mean"]["nDCG@10"]
    assert told["best"] == "best moment"
    assert told["scenes"] == best["asked"]
    assert told["frames"] > 4 * told["scenes"]


def test_the_table_says_what_was_measured_by_what() -> None:
    said = evaluate(films=4)
    assert "4 films" in said
    assert "by shipped:drawn-scenes" in said
    assert "weighted mean" in said


def test_one_film_is_no_comparison() -> None:
    with pytest.raises(CommandError, match="--films must be from 2"):
        evaluate(films=1)


@pytest.mark.django_db
def test_without_videos_it_measures_the_live_spaces(drawn_space: object) -> None:
    out = StringIO()
    call_command("evaluate", json=True, scenes=12, stdout=out)
    assert [one["slug"] for one in json.loads(out.getvalue())["spaces"]] == ["drawn-scenes"]

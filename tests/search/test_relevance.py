"""Where relevance ends, and leaving out, measured on scenes with known contents; docs/relevance.md has the figures."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from django.contrib.auth.models import User

from archive.models import Collection, Space
from search.background import Background, forget
from search.engine import search
from search.exclusion import penalty
from search.query import Mode, Query
from search.relevance import Line, draw_line
from tests.prepared import make_encoded, random_rows
from tests.search.scenes import Shown, shown
from workers.calibration import calibrate
from workers.client import Encoded, remember_text

Truth = npt.NDArray[np.bool_]
UNKNOWN = (
    "a pizza",
    "a guitar",
    "an elephant",
    "a laptop on a desk",
    "a soccer player",
    "sushi",
    "a wedding",
    "a robot",
)


def judged(closeness: npt.NDArray[np.float32], space: Space, mode: Mode) -> Truth:
    """(queries, pictures): what a search would call a good match."""
    kept = np.zeros(closeness.shape, dtype=bool)
    for row, close in enumerate(closeness):
        usual = Background(np.sort(close))
        line = draw_line(space, usual, mode, words_only=True).beside(float(close.max()), usual)
        kept[row] = (close >= line.well) & (close.max() >= line.best)
    return kept


@pytest.fixture(scope="module")
def scenes() -> Shown:
    return shown()


@pytest.fixture(scope="module")
def space(scenes: Shown) -> Space:
    return Space(slug="drawn", calibration=calibrate(scenes.encoder))


def test_most_of_what_is_relevant_survives_the_line_and_most_of_the_rest_does_not(scenes: Shown, space: Space) -> None:
    closeness = scenes.asked @ scenes.rows.T
    some = scenes.true.any(axis=1)
    figures = {}
    for mode in (Mode.BALANCED, Mode.STRICT):
        kept = judged(closeness, space, mode)
        survive = kept[some][scenes.true[some]].mean()
        right = scenes.true[some][kept[some]].mean()
        wrongly_nothing = (~kept[some].any(axis=1)).mean()
        rightly_nothing = (~kept[~some].any(axis=1)).mean()
        figures[mode] = (survive, right, wrongly_nothing, rightly_nothing)
        print(f"{mode}: survive {survive:.2f}, right {right:.2f}, ", end="")
        print(f"nothing although there is {wrongly_nothing:.2f}, nothing where nothing is {rightly_nothing:.2f}")
    unknown = scenes.encoder.encode_texts(UNKNOWN) @ scenes.rows.T
    nothing = ~judged(unknown, space, Mode.BALANCED).any(axis=1)
    print(f"words it does not know, answered with nothing: {nothing.mean():.2f}")
    balanced, strict = figures[Mode.BALANCED], figures[Mode.STRICT]
    assert balanced[0] > 0.75
    assert balanced[1] > 0.6
    assert balanced[2] < 0.2
    assert balanced[3] > 0.3
    assert strict[1] > balanced[1]
    assert strict[0] < balanced[0]


def average_precision(score: npt.NDArray[np.float32], true: Truth) -> float:
    found = true[np.argsort(-score, kind="stable")]
    return float((np.cumsum(found)[found] / (np.flatnonzero(found) + 1)).mean())


def test_leaving_out_beats_plain_words_and_subtraction(scenes: Shown) -> None:
    """Every pair of "a thing" or "a place" without "a thing" or "a time of day" that has right and wrong answers."""
    plain = [i for i, query in enumerate(scenes.queries) if _is_one(query.text, scenes, i)]
    pairs = [
        (wanted, unwanted)
        for wanted in plain
        for unwanted in plain
        if wanted != unwanted
        and (scenes.true[wanted] & scenes.true[unwanted]).sum() >= 3
        and (scenes.true[wanted] & ~scenes.true[unwanted]).sum() >= 3
    ]
    assert len(pairs) > 50
    texts = [f"{scenes.queries[w].text} without {scenes.queries[u].text}" for w, u in pairs]
    said = scenes.encoder.encode_texts(texts) @ scenes.rows.T
    figures: dict[str, list[float]] = {"plain words": [], "subtracted": [], "left out": []}
    for row, (w, u) in enumerate(pairs):
        close, like = scenes.rows @ scenes.asked[w], scenes.rows @ scenes.asked[u]
        wanted, unwanted = Background(np.sort(close)), Background(np.sort(like))
        pushed = close - np.array([penalty(float(one), unwanted, wanted) for one in like], dtype=np.float32)
        right = scenes.true[w] & ~scenes.true[u]
        # The best of several weights for subtraction, so that it loses fairly.
        figures["subtracted"].append(max(average_precision(close - weight * like, right) for weight in (0.3, 0.5, 1.0)))
        figures["plain words"].append(average_precision(said[row], right))
        figures["left out"].append(average_precision(pushed, right))
    mean = {name: float(np.mean(values)) for name, values in figures.items()}
    print(f"{len(pairs)} pairs, mean average precision:", {name: round(value, 3) for name, value in mean.items()})
    assert mean["left out"] > mean["subtracted"]
    assert mean["left out"] > mean["plain words"] + 0.3


def _is_one(text: str, scenes: Shown, number: int) -> bool:
    terms = scenes.queries[number].terms
    parts = [len(terms.things), bool(terms.place), bool(terms.sky)]
    return sum(parts) == 1 and not any(thing.colour for thing in terms.things)


def test_a_reference_picture_is_judged_by_the_background_alone(space: Space) -> None:
    background = Background(np.linspace(0, 0.4, 200, dtype=np.float32))
    balanced = draw_line(space, background, Mode.BALANCED, words_only=False)
    strict = draw_line(space, background, Mode.STRICT, words_only=False)
    assert background.mean < balanced.well < strict.well
    assert balanced.best == -np.inf


def test_without_marks_and_background_or_with_everything_wanted_there_is_no_line(space: Space) -> None:
    few = Background(np.linspace(0, 0.4, 5, dtype=np.float32))
    many = Background(np.linspace(0, 0.4, 200, dtype=np.float32))
    assert draw_line(space, few, Mode.STRICT, words_only=True).well == space.calibration["strict"]  # its model knows
    assert draw_line(Space(), few, Mode.STRICT, words_only=True) == Line()
    assert draw_line(space, few, Mode.STRICT, words_only=False) == Line()
    assert draw_line(space, many, Mode.EVERYTHING, words_only=True) == Line()


def test_a_model_with_a_bias_has_a_say_in_its_line() -> None:
    background = Background(np.linspace(-0.2, 0.0, 200, dtype=np.float32))
    sure = Space(calibration={"balanced": 0.5, "strict": 0.5}, logit_scale=100.0, logit_bias=-10.0)
    # sigmoid(100 x - 10) is 0.1 at 0.078 and 0.5 at 0.1.
    assert draw_line(sure, background, Mode.BALANCED, words_only=True).well == pytest.approx(0.078, abs=1e-3)
    assert draw_line(sure, background, Mode.STRICT, words_only=True).well == pytest.approx(0.1, abs=1e-3)


def test_an_encoder_that_does_not_tell_drawings_apart_gets_no_marks(fake_space: Space) -> None:
    assert fake_space.calibration == {}


@pytest.mark.django_db
def test_hits_stand_above_and_below_the_line_and_strict_keeps_the_upper_ones(
    harbour: Collection, bob: User, fake_space: Space
) -> None:
    forget()
    rows = random_rows(120)
    rows[:3] = rows[0] + random_rows(3, seed=8) * 0.3
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    make_encoded(harbour, fake_space, rows)
    remember_text(fake_space, "it", Encoded(rows[0]))
    balanced = search(Query(text="it"), bob)
    assert [hit.well for hit in balanced.hits] == sorted((hit.well for hit in balanced.hits), reverse=True)
    assert 3 <= balanced.well < 60
    assert balanced.divide == balanced.well + 1
    assert balanced.hits[0].share > 0.97
    strict = search(Query(text="it", mode=Mode.STRICT), bob)
    assert 0 < strict.got <= balanced.well
    assert all(hit.well for hit in strict.hits)
    everything = search(Query(text="it", mode=Mode.EVERYTHING), bob)
    assert all(hit.well for hit in everything.hits)


def test_the_shares_of_many_are_those_of_each() -> None:
    sample = np.sort(np.random.default_rng(4).normal(size=300).astype(np.float32))
    asked = [-9.0, 9.0, float(sample[7]), *np.random.default_rng(5).normal(size=50).tolist()]
    shares = Background(sample).shares_below(asked)
    assert shares == [sum(float(one) < closeness for one in sample) / 300 for closeness in asked]
    assert shares[:3] == [0.0, 1.0, 7 / 300]
    assert Background(sample).shares_below([]) == []

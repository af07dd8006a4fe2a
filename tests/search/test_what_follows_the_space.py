"""Backgrounds, lines of relevance and remembered texts belong to a space, through a switch and a roll-back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User

from archive import dispatch
from archive.models import Collection, Space
from archive.spaces import activate, backfill, rollback
from archive.vectors import Vector, read_sample
from search import background
from search.engine import search
from search.query import Query
from tests import pictures
from tests.prepared import make_prepared
from workers import queries
from workers.client import encode_text
from workers.encode import drain_encode
from workers.encoders.load import encoder_of
from workers.spaces import make_space

pytestmark = pytest.mark.django_db(transaction=True)
PICTURES = 24  # enough for a background
RED = Query(text="red", limit=5)


@pytest.fixture
def spaces(harbour: Collection, fake_space: Space) -> tuple[Space, Space]:
    """The searched one and a full one beside it, of another model, with marks of its own."""
    for seed in range(PICTURES):
        make_prepared(harbour, pictures.distinct(seed), fake_space, name=f"{seed}.jpg")
    drain_encode()
    new = make_space("new", "fake", "x")
    backfill(new)
    drain_encode()
    Space.objects.filter(pk=fake_space.pk).update(calibration={"balanced": -1.0, "strict": -1.0, "best": -1.0})
    Space.objects.filter(pk=new.pk).update(calibration={"balanced": 2.0, "strict": 2.0, "best": 2.0})
    background.forget()
    return Space.objects.get(pk=fake_space.pk), Space.objects.get(pk=new.pk)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What the queries worker was asked for: space and text."""
    found: list[tuple[str, str]] = []

    def answer(name: str, *args: Any, expires: float) -> None:
        if name == dispatch.ANSWER_QUERY:
            found.extend((args[0]["space"], text) for text in args[0]["texts"])
            queries.answer(*args)

    monkeypatch.setattr(dispatch, "_send", answer)
    return found


def turns(spaces: tuple[Space, Space]) -> list[tuple[Space, Any]]:
    """Which space is searched after each step: before, after the switch, after the roll-back, and forth again."""
    old, new = spaces
    return [(old, lambda: None), (new, lambda: activate(new)), (old, rollback), (new, rollback)]


def test_a_text_is_remembered_by_space_and_the_old_answer_is_there_after_a_roll_back(
    spaces: tuple[Space, Space], asked: list[tuple[str, str]], bob: User
) -> None:
    for space, turn in turns(spaces):
        turn()
        assert search(RED, bob).space == space.slug
        assert np.allclose(encode_text(space, "red").vector, encoder_of(space).encode_texts(["red"])[0], atol=1e-6)
    assert asked == [("fake", "red"), ("new", "red")]  # once for each space, and never again
    old, new = spaces
    assert encode_text(old, "red").vector @ encode_text(new, "red").vector < 0.9  # it would have shown


def test_the_background_is_a_sample_of_the_space_that_is_searched(
    spaces: tuple[Space, Space], asked: list[tuple[str, str]], bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples: list[Vector] = []
    read = read_sample

    def reading(space: Space, *args: Any) -> Vector:
        samples.append(read(space, *args))
        return samples[-1]

    monkeypatch.setattr("search.background.read_sample", reading)
    used: list[tuple[str, float]] = []
    find = background.find_background

    def finding(space: Space, *args: Any) -> background.Background:
        found = find(space, *args)
        used.append((space.slug, found.mean))
        return found

    monkeypatch.setattr("search.judging.find_background", finding)
    for number, (_, turn) in enumerate(turns(spaces)):
        turn()
        search(Query(text=f"red {'a' * number}", limit=5), bob)
    assert [slug for slug, _ in used] == ["fake", "new", "fake", "new"]
    assert len(samples) == 2  # each space's is kept: a roll-back finds its own
    for space, sample in zip(spaces, samples, strict=True):
        shown = encoder_of(space).encode_pictures(
            [encoder_of(space).prepare(pictures.distinct(seed)) for seed in range(PICTURES)]
        )
        assert sample.shape == (PICTURES, 768)
        assert (sample @ shown.T).max(axis=1).min() > 0.99


def test_the_line_of_relevance_is_drawn_by_the_marks_of_the_space_that_is_searched(
    spaces: tuple[Space, Space], asked: list[tuple[str, str]], bob: User
) -> None:
    wells = []
    for space, turn in turns(spaces):
        turn()
        answer = search(Query(text="red", limit=PICTURES), bob)
        assert answer.space == space.slug
        wells.append(answer.well)
    assert wells[0] == wells[2] > 0
    assert wells[1] == wells[3] == 0

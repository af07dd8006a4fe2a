"""What workers do for spaces by themselves, and what they are rung for."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache

from archive import dispatch
from archive.models import Collection, Space, SpaceState
from archive.spaces import activate, backfill, has_partitions, index_state, retire
from tests import pictures
from tests.prepared import make_prepared
from workers import client, tasks
from workers.client import Encoded, encode_text, remember_text
from workers.encode import drain_encode, waiting_spaces
from workers.encoders.load import encoder_of
from workers.management import space_pace
from workers.spaces import make_space

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def other(harbour: Collection, fake_space: Space) -> Space:
    """A full space beside the searched one."""
    for seed in range(3):
        make_prepared(harbour, pictures.distinct(seed), fake_space)
    space = make_space("next", "fake", "x")
    backfill(space)
    drain_encode()
    return space


def test_a_round_makes_the_full_one_ready_and_rings_for_indexes(
    other: Space, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[tuple[Any, ...]] = []
    monkeypatch.setattr(dispatch, "_send", lambda name, *args, expires: rung.append((name, *args)))
    settings.SIGHTLINE_INDEX_FROM = 3
    tasks.look_after_spaces_task()
    assert sorted(rung) == [("workers.index_space", "fake"), ("workers.index_space", "next")]
    other.refresh_from_db()
    assert other.state == SpaceState.BUILDING
    for _, slug in rung:
        tasks.index_space(slug)
    other.refresh_from_db()
    assert (other.state, index_state(other).valid) == (SpaceState.READY, True)
    tasks.index_space("gone")  # retired while the message was on its way


def test_a_round_goes_on_without_redis(other: Space, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(name: str, *args: Any, expires: float) -> None:
        raise dispatch.BrokerUnavailable

    monkeypatch.setattr(dispatch, "_send", away)
    settings.SIGHTLINE_INDEX_FROM = 3
    retire(other)
    tasks.look_after_spaces_task()
    assert not has_partitions(other)


def test_a_space_is_measured_on_request(other: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space_pace, "SECONDS", 0.05)
    tasks.evaluate_space("next")
    other.refresh_from_db()
    assert other.evaluation["slug"] == "next"
    assert other.evaluation["pictures_a_second"] > 0


def test_the_texts_of_a_retired_space_are_forgotten_and_no_others(
    other: Space, fake_space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    for space in (fake_space, other):
        vector = encoder_of(space).encode_texts(["red"])[0]
        remember_text(space, "red", Encoded(vector))
    cache.set("something else", 1)
    retire(other)
    tasks.look_after_spaces_task()

    def nobody(*args: Any, **kwargs: Any) -> Any:
        raise client.EncoderUnavailable("nobody is asked")

    monkeypatch.setattr(client, "_ask", nobody)
    assert encode_text(fake_space, "red").vector.shape == (768,)
    with pytest.raises(client.EncoderUnavailable):
        encode_text(other, "red")
    assert cache.get("something else") == 1


def test_workers_turn_to_the_searched_space_first_and_to_the_filled_one_last(
    harbour: Collection, fake_space: Space, other: Space
) -> None:
    activate(other)  # the one of before is READY now
    third = make_space("third", "fake", "xy")
    make_prepared(harbour, pictures.distinct(9), fake_space, third, other)
    assert [space.slug for space in waiting_spaces()] == ["next", "fake", "third"]

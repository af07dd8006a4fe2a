"""What workers do for spaces by themselves, and what they are rung for."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.core.cache import cache
from django.db import OperationalError, connection

from archive import dispatch
from archive.models import Collection, Space, SpaceState
from archive.spaces import activate, backfill, has_partitions, index_state, retire
from tests import pictures
from tests.prepared import make_prepared
from workers import client, tasks, upkeep
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


def test_a_build_that_fails_is_not_tried_again_at_once_and_one_is_built_at_a_time(
    other: Space, fake_space: Space, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[tuple[Any, ...]] = []
    monkeypatch.setattr(dispatch, "_send", lambda name, *args, expires: rung.append((name, *args)))
    settings.SIGHTLINE_INDEX_FROM = 3

    def full(space: Space) -> bool:
        raise OperationalError("could not extend file: No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(upkeep, "build_index", full)
        with pytest.raises(OperationalError):
            tasks.index_space("next")
    tasks.look_after_spaces_task()
    assert rung == [("workers.index_space", "fake")]
    with psycopg.connect(**other_connection()) as held:
        held.execute("SELECT pg_advisory_lock(hashtext('sightline index'), 0)")
        tasks.index_space("fake")
    assert not index_state(fake_space).valid
    rung.clear()
    tasks.look_after_spaces_task()  # that it was another's turn is no failure
    assert rung == [("workers.index_space", "fake")]
    tasks.index_space("next")  # a person may ask sooner
    assert index_state(other).valid


def other_connection() -> dict[str, Any]:
    about = connection.get_connection_params()
    return {name: about[name] for name in ("host", "port", "user", "password", "dbname") if about.get(name)}


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


def test_a_part_of_the_sweep_that_fails_keeps_no_other_from_its_turn(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    swept: list[str] = []

    def sweep_trash() -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(tasks, "sweep_trash", sweep_trash)
    monkeypatch.setattr(tasks, "sweep_batches", lambda: swept.append("batches"))
    monkeypatch.setattr(dispatch, "_send", lambda name, *args, expires: swept.append(name))
    tasks.sweep()
    assert swept == [dispatch.FILL_FINGERPRINTS, "batches"]
    assert "sweep_trash failed" in caplog.text

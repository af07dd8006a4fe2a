"""Stretches from pairs of shots: what lies side by side with the same delay is one, and nothing is told twice."""

from __future__ import annotations

import time

import pytest

from archive.video.reuse import LEAST, MOST_PAIRS, Pair, Shot, stretches


def pair(mine: tuple[float, float], other: tuple[float, float], *, mirrored: bool = False) -> Pair:
    return Pair(Shot(int(mine[0] * 10), *mine), Shot(int(other[0] * 10) + 5000, *other), mirrored)


def told(*pairs: Pair) -> list[tuple[float, float, float, float]]:
    return [(one.start, one.end, one.other_start, one.other_end) for one in stretches(pairs).stretches]


def test_neighbouring_shots_with_the_same_delay_are_one_stretch() -> None:
    ((found,), _) = stretches([pair((10, 15), (40, 45)), pair((15, 20), (45, 50)), pair((20, 22), (50, 52))])
    assert (found.start, found.end, found.other_start, found.other_end, found.shots) == (10, 22, 40, 52, 3)


def test_a_cut_may_stand_a_second_apart_in_two_films() -> None:
    assert told(pair((10, 15), (40.5, 45)), pair((15, 20), (45, 50))) == [(10, 19.5, 40.5, 50)]


def test_a_stretch_may_begin_and_end_in_the_middle_of_a_shot() -> None:
    """The last 4 seconds of one shot, a whole one, the first 3 of another."""
    found = told(pair((2, 10), (30, 34)), pair((10, 15), (34, 39)), pair((15, 30), (39, 42)))
    assert found == [(6, 18, 30, 42)]


def test_two_stretches_with_delays_of_their_own_are_told_apart() -> None:
    assert told(pair((0, 5), (60, 65)), pair((20, 25), (10, 15))) == [(0, 5, 60, 65), (20, 25, 10, 15)]


def test_what_recurs_twice_is_told_twice() -> None:
    assert told(pair((10, 15), (20, 25)), pair((10, 15), (50, 55))) == [(10, 15, 20, 25), (10, 15, 50, 55)]


def test_a_long_still_shot_that_is_parted_is_one_stretch() -> None:
    """Its parts look alike, so each of them is paired with each: with other delays, that are not told."""
    parts = [(0, 30), (30, 60)]
    found = told(*(pair(mine, (start + 100, end + 100)) for mine in parts for start, end in parts))
    assert found == [(0, 60, 100, 160)]


def test_what_was_cut_out_in_between_parts_a_stretch() -> None:
    assert told(pair((0, 5), (50, 55)), pair((10, 15), (60, 65))) == [(0, 5, 50, 55), (10, 15, 60, 65)]


@pytest.mark.parametrize(("seconds", "count"), [(LEAST - 0.5, 0), (LEAST, 1)])
def test_a_glimpse_is_no_reuse(seconds: float, count: int) -> None:
    assert len(stretches([pair((0, seconds), (9, 9 + seconds))]).stretches) == count


def test_a_mirror_image_is_a_stretch_of_its_own() -> None:
    (one, other), _ = stretches([pair((0, 5), (50, 55)), pair((5, 10), (55, 60), mirrored=True)])
    assert (one.mirrored, other.mirrored) == (False, True)


def test_nothing_is_nothing() -> None:
    assert stretches([]) == ([], True)


def many(count: int) -> list[Pair]:
    """Shots of 4 seconds, each with a delay of its own: none of them agrees with another."""
    return [pair((n * 4, n * 4 + 4), (n * 4.77, n * 4.77 + 4)) for n in range(count)]


@pytest.mark.parametrize("spread", [1.0, 0.001])
def test_five_thousand_pairs_are_done_in_a_moment(spread: float) -> None:
    """Whether each says something else, or all say nearly the same."""
    pairs = [pair((n, n + 4), (n * (1 + spread), n * (1 + spread) + 4)) for n in range(5000)]
    begun = time.monotonic()
    found, whole = stretches(pairs)
    assert time.monotonic() - begun < 2.0
    assert found
    assert not whole  # more pairs than are looked at
    assert MOST_PAIRS < 5000


def test_where_the_time_is_over_it_says_so() -> None:
    assert stretches(many(40)).whole
    found, whole = stretches(many(40), until=time.monotonic() - 1)
    assert (found, whole) == ([], False)

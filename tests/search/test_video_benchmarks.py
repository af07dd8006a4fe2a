"""`manage.py benchmark scenes|reuse`, small: what is found of films that were made for it."""

from __future__ import annotations

import pytest

from tests.benchmarks import left_behind, run_benchmark

pytestmark = pytest.mark.slow


def test_the_scenes_of_made_films_are_found_through_everything() -> None:
    rows = run_benchmark("scenes")
    sentences = {name.partition(": ")[2]: row for name, row in rows.items() if " sentences: " in name}
    assert set(sentences) == {"the right film first", "and within a second of its scene"}
    assert len(rows) == 4
    assert all(row["value"] >= 0.8 for row in sentences.values())
    assert left_behind() == []


def test_footage_that_recurs_is_found_and_how_long_that_takes_is_measured() -> None:
    rows = run_benchmark("reuse")
    assert set(rows) == {
        "a film among 40, beside among 10",
        "the slowest of twenty",
        "films that share footage, told beside there",
    }
    assert rows["films that share footage, told beside there"]["ratio"] == 1.0
    assert left_behind() == []

"""`manage.py benchmark encode|ingest`, small; and the arithmetic of ratios."""

from archive.measuring import in_turns, rate_row, time_row
from tests.benchmarks import left_behind, run_benchmark


def test_encoding_is_measured_beside_the_bare_model() -> None:
    rows = run_benchmark("encode")
    assert set(rows) == {
        "fake: rendition to vector, in 1 process(es)",
        "fake: with two live spaces, beside one",
        "fake: decode and prepare, beside decode and resize",
        "fake: store vectors, beside a bare COPY",
    }
    assert left_behind() == []


def test_taking_in_is_measured_beside_bare_decoding_and_bare_copying() -> None:
    rows = run_benchmark("ingest")
    assert len(rows) == 4
    assert left_behind() == []


def test_the_ratio_is_the_median_of_each_turns_own() -> None:
    # The machine was three times slower in the second turn: for both sides, so it tells nothing.
    row = rate_row("x", "a/s", [(9.0, 10.0), (3.0, 3.3), (9.0, 10.0)])
    assert (row.value, row.limit, row.ratio, row.runs) == (9.0, 10.0, 0.9, 3)


def test_for_times_less_is_better() -> None:
    assert time_row("x", "ms", [(20.0, 10.0)]).ratio == 0.5
    assert rate_row("x", "a/s", [(20.0, 10.0)]).ratio == 2.0


def test_the_sides_take_turns() -> None:
    seen: list[str] = []

    def side(name: str, taken: float) -> float:
        seen.append(name)
        return taken

    assert in_turns(2, lambda: side("a", 1.0), lambda: side("b", 2.0)) == [(1.0, 2.0), (1.0, 2.0)]
    assert seen == ["a", "b", "a", "b"]


def test_videos_are_measured_beside_the_bare_decoder_and_the_bare_model() -> None:
    rows = run_benchmark("video", "--seconds", "3")
    assert len(rows) == 8
    kept = {name.partition(":")[0]: row for name, row in rows.items() if "memory over 4 times the film" in name}
    assert set(kept) == {"reading", "its decoder", "encoding", "making it playable", "its encoder"}
    assert all(row["value"] > 30 for row in kept.values())
    assert min(kept[name]["ratio"] for name in ("reading", "its decoder", "encoding", "its encoder")) > 0.8
    assert left_behind() == []

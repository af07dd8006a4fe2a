"""`manage.py benchmark concepts` on a small archive: each part beside the bare product, and nothing left behind."""

from tests.benchmarks import left_behind, run_benchmark


def test_concepts_are_measured_beside_the_bare_product() -> None:
    rows = run_benchmark("concepts", "--rows", "1000")
    assert {name.partition(",")[0] for name in rows} == {
        "score 50 concepts",
        "read the stored vectors alone",
        "read and score 50 concepts",
        "whole pass",
        "at ingest",
    }
    assert "over 1000 pictures" in next(name for name in rows if name.startswith("whole pass"))
    assert left_behind() == []

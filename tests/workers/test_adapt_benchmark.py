"""`manage.py benchmark adapt`, small: whether it works, not how much is gained."""

import pytest

from tests.benchmarks import left_behind, run_benchmark


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_adapting_is_measured_beside_what_the_model_reaches_in_its_own_words() -> None:
    rows = run_benchmark("adapt")
    assert len(rows) == 10
    assert rows["Dutch, adapted, softmax: R@1"]["value"] > 2 * rows["Dutch, the shipped model: R@1"]["value"]
    assert (
        rows["English after it, softmax: R@1"]["ratio"] > 0.7 > rows["English after it, softmax, keep 0: R@1"]["ratio"]
    )
    assert left_behind() == []

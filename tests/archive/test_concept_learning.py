"""What a head learns: that the search for it comes to its end, however easily the judged pictures are parted."""

from __future__ import annotations

import numpy as np
import pytest

from archive.concepts.learning import STRENGTHS, _fit, _sigmoid


@pytest.mark.parametrize("strength", STRENGTHS)
def test_a_fit_ends_where_nothing_pulls_any_more(strength: float) -> None:
    random = np.random.default_rng(7)
    good = np.arange(60) % 3 == 0
    seen = 4 * random.normal(size=(60, 768)) + np.where(good, 2.0, -2.0)[:, None] * random.normal(size=768)
    said = 3 * random.normal(size=60)
    weights, bias = _fit(seen, said, good, strength)
    sure = _sigmoid(said + seen @ seen.T @ weights + bias)
    share = 60 * np.where(good, 0.5 / good.sum(), 0.5 / (~good).sum())
    assert np.abs(strength * weights + share * (sure - good)).max() < 1e-3
    assert abs(bias + (share * (sure - good)).sum()) < 1e-2

"""Where relevance ends: from which closeness on a hit matches well, for one query in one space.

Closeness cannot be compared across models or queries, so there is no constant here. For words the model's own
calibration is asked, measured once a space on pictures whose contents are known (workers.calibration), and a
hit has to stand out from the background as well. For reference pictures only the background is.
How well that works on the shipped models stands in docs/relevance.md; it is a help, not a promise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from archive.models import Space
from search.background import Background
from search.query import Mode

# How many spreads above the mean of the background a hit must lie: beside a calibration, and without one.
STANDS_OUT = 0.5
# A hit for words is a match if it lies at least so far from the background towards the best hit.
TOWARDS_BEST = 0.5
ALONE = {Mode.STRICT: 3.0, Mode.BALANCED: 2.0}
# What a model with a bias says of itself: sigmoid(scale * closeness + bias) is how sure it is of a pair (SigLIP,
# https://arxiv.org/abs/2303.15343).
SURE = {Mode.STRICT: 0.5, Mode.BALANCED: 0.1}


@dataclass(frozen=True)
class Line:
    """`well`: from there on a hit matches well. `best`: where not even the best hit gets there, nothing does."""

    well: float = -math.inf
    best: float = -math.inf

    def beside(self, best: float, background: Background) -> Line:
        """For words, once their best hit is known: what it leaves far behind is no match, whatever the marks say. On
        the sample's photographs this nearly doubles the share of right ones above the line; drawings keep theirs."""
        if self.well == -math.inf or not background.known:
            return self
        return Line(max(self.well, background.mean + TOWARDS_BEST * (best - background.mean)), self.best)


def draw_line(space: Space, background: Background, mode: Mode, *, words_only: bool) -> Line:
    """The line for a query; none where everything is wanted, or where neither marks nor a background tell."""
    calibrated = space.calibration.get(mode.value) if words_only else None
    if mode is Mode.EVERYTHING or (calibrated is None and not background.known):
        return Line()
    if calibrated is None:
        return Line(background.mean + ALONE[mode] * background.spread)
    said = [calibrated, *_own_scale(space, mode)]
    floor = background.mean + STANDS_OUT * background.spread if background.known else -math.inf
    return Line(max(min(said), floor), max(space.calibration.get("best", -math.inf), floor))


def _own_scale(space: Space, mode: Mode) -> list[float]:
    """The closeness at which a model with a bias is sure enough."""
    if space.logit_bias is None or not space.logit_scale:
        return []
    sure = SURE[mode]
    return [(math.log(sure / (1 - sure)) - space.logit_bias) / space.logit_scale]

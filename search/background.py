"""The background: how close a query is to pictures at large, to tell what is closer than that.

A fixed random sample of what the person may see, and of nothing else: what others keep to themselves must not
move anybody's line.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from archive.models import Asset, Space, Status
from archive.vectors import Vector, read_sample
from search.neighbours import tables_that_may_go

if TYPE_CHECKING:
    from archive.models.collections import Person

SAMPLE = 500
LEAST = 20  # fewer pictures are no background
KEEP_SECONDS = 300
MOST_KEPT = 32  # of 1.5 MB each

Closenesses = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Background:
    """Inner products of a vector with the sample, from the smallest to the largest."""

    sorted: Closenesses

    @property
    def known(self) -> bool:
        return len(self.sorted) >= LEAST

    @property
    def mean(self) -> float:
        return float(self.sorted.mean())

    @property
    def spread(self) -> float:
        return max(float(self.sorted.std()), 1e-6)

    def shares_below(self, closenesses: Sequence[float]) -> list[float]:
        """For each of some: the share of the sample that is less close, in [0, 1]."""
        shares: list[float] = (np.searchsorted(self.sorted, np.array(closenesses)) / len(self.sorted)).tolist()
        return shares


def find_background(space: Space, user: Person, sight: str, vector: Vector) -> Background:
    return Background(np.sort(_sample(space, user, sight) @ vector))


_kept: OrderedDict[tuple[int, str], tuple[float, Vector]] = OrderedDict()
_lock = threading.Lock()


def _sample(space: Space, user: Person, sight: str) -> Vector:
    key = (space.pk, sight)
    with _lock:
        found = _kept.get(key)
        if found is not None and found[0] > time.monotonic():
            _kept.move_to_end(key)
            return found[1]
    with tables_that_may_go():
        sample = read_sample(space, Asset.objects.visible_to(user).filter(status=Status.READY), SAMPLE)
    with _lock:
        _kept[key] = (time.monotonic() + KEEP_SECONDS, sample)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    return sample


def forget() -> None:
    """For tests: samples are remembered by this process for minutes."""
    with _lock:
        _kept.clear()

"""What two pictures are to each other: the same picture, two of a burst, similar, or nothing.

Three kinds, because people do different things with them. Figures: docs/duplicates.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from archive.models import Likeness
from archive.models.duplicates import LEAST_QUALITY, LEAST_SPREAD
from archive.pdq import Bits, colour_difference, turned, turned_colours

# PDQ's authors advise 31 bits of 256.
SAME_BITS = 31
# A copy with a few hundredths cut off its edges is further away; then the model must find the two nearly equal.
CROPPED_BITS = 48
# PDQ sees no colour: a red car and a blue one at the same place are the same to it.
SAME_COLOURS = 16.0

# Closeness as a share of the way from what two pictures usually have in common in this space (0) to being
# equal (1): inner products themselves do not compare from one model to the next.
CROPPED_SHARE = 0.95
SIMILAR_SHARE = 0.9
BURST_SHARE = 0.6
BURST_SECONDS = 10.0

# A copy whose time lost its zone differs by whole quarters of an hour, and by no more than zones are apart.
ZONE_STEP = timedelta(minutes=15)
ZONES_APART = timedelta(hours=14)


@dataclass(frozen=True)
class Seen:
    """What is known of an asset when it is compared. `zoned`: its file names the zone of `taken_at`."""

    asset_id: int
    sha256: str
    collection_id: int
    uploader_id: int | None
    camera: str
    taken_at: datetime | None
    zoned: bool
    bits: Bits
    quality: int
    spread: float
    colours: bytes

    @property
    def blank(self) -> bool:
        """Black, white or of one colour: like every other such frame, and a copy of none."""
        return self.spread < LEAST_SPREAD

    @property
    def comparable(self) -> bool:
        return not self.blank and self.quality >= LEAST_QUALITY


@dataclass(frozen=True)
class Verdict:
    kind: Likeness
    distance: int


def judge(one: Seen, other: Seen, share: float | None) -> Verdict | None:
    """`share`: how close the model finds them, or None where it does not know both."""
    if one.blank or other.blank:
        return None
    if one.sha256 == other.sha256:
        return Verdict(Likeness.SAME, 0)
    if not (one.comparable and other.comparable):
        return None
    distance, way = bits_apart(one, other)
    near = distance <= SAME_BITS or (distance <= CROPPED_BITS and share is not None and share >= CROPPED_SHARE)
    if near and not two_moments(one, other) and of_equal_colours(one, other, way):
        kind = Likeness.SAME
    elif share is not None and share >= BURST_SHARE and of_a_burst(one, other):
        kind = Likeness.BURST
    elif share is not None and share >= SIMILAR_SHARE:
        kind = Likeness.SIMILAR
    else:
        return None
    return Verdict(kind, distance)


def bits_apart(one: Seen, other: Seen) -> tuple[int, int]:
    """How many of 256 bits differ at least, and which of the eight ways to turn `one` that takes."""
    apart = [int(np.count_nonzero(way ^ other.bits)) for way in turned(one.bits)]
    least = min(apart)
    return least, apart.index(least)


def of_equal_colours(one: Seen, other: Seen, way: int) -> bool:
    turned_one, as_it_is = turned_colours(one.colours)[way], turned_colours(other.colours)[0]
    return colour_difference(turned_one, as_it_is) <= SAME_COLOURS


def two_moments(one: Seen, other: Seen) -> bool:
    """Whether both say when they were taken, and mean different moments: then neither is a copy of the other.

    Only where one of the two names its zone can the other have lost it: a camera that takes a picture every hour
    names it in all of them, or in none.
    """
    if one.taken_at is None or other.taken_at is None or one.taken_at == other.taken_at:
        return False
    apart = abs(one.taken_at - other.taken_at)
    may_be_a_zone = one.zoned != other.zoned and apart <= ZONES_APART and not apart % ZONE_STEP
    return not may_be_a_zone


def of_a_burst(one: Seen, other: Seen) -> bool:
    """Taken within seconds, with the same camera, or by the same person, or for the same collection."""
    if one.taken_at is None or other.taken_at is None:
        return False
    if abs((one.taken_at - other.taken_at).total_seconds()) > BURST_SECONDS:
        return False
    if one.camera and other.camera:
        return one.camera == other.camera
    by_one = one.uploader_id is not None and one.uploader_id == other.uploader_id
    return by_one or one.collection_id == other.collection_id

"""Shots: runs of frames that resemble the frame they begin with.

A frame joins the running shot while its cosine to the *start* of the shot is high enough, so that slow drift does
not glue a whole film together, and while the shot is not too long. The start stands for its shot: every frame of
it is at least so close to it, by definition, whatever comes later. So nothing that was decided is ever decided
otherwise, and a film can be parted while it is still being read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.conf import settings

from archive.models import Space
from archive.vectors import Vector, Vectors

# Of spaces about which nothing is known yet. Measured on CLIP: representatives that differ from the one before by
# less are 8.8 times fewer than frames, and 200 of them find 98.8 % of the right videos.
USUAL_THRESHOLD = 0.9
MARK = "shot"


@dataclass(frozen=True)
class Start:
    """The first frame of the running shot: its second and its unit vector (768,)."""

    at: float
    vector: Vector


def threshold_of(space: Space) -> float:
    """The cosine to the start of a shot from which on a frame belongs to it (see `archive.video.calibration`)."""
    return float(space.calibration.get(MARK, USUAL_THRESHOLD))


def part(start: Start | None, times: Sequence[float], vectors: Vectors, threshold: float) -> list[bool]:
    """For each frame, at `times` in order, with its vector (n, 768): does a shot begin with it?

    `start` is where the running shot of the frames before began; None at the beginning of a film.
    """
    rounded = as_stored(vectors)
    begins = []
    for at, vector in zip(times, rounded, strict=True):
        new = start is None or _is_over(start, at, vector, threshold)
        if new:
            start = Start(at, vector)
        begins.append(new)
    return begins


def _is_over(start: Start, at: float, vector: Vector, threshold: float) -> bool:
    return at - start.at >= settings.SIGHTLINE_SHOT_SECONDS or _cosine(start.vector, vector) < threshold


def as_stored(vectors: Vectors) -> Vectors:
    """As half floats hold them: a film that is parted in pieces must come out as one that is parted at once."""
    return vectors.astype(np.float16).astype(np.float32)


def _cosine(one: Vector, other: Vector) -> float:
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))

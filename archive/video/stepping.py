"""How often a video is looked at: as often as asked, but never at more frames than the limit."""

from __future__ import annotations

import math

from django.conf import settings

from archive.models import Collection

CHUNK_FRAMES = 60  # a chunk of work: a minute at one frame a second


def step_of(collection: Collection, seconds: float) -> tuple[int, str]:
    """Milliseconds from one frame to the next, and a note where that is more than was asked for."""
    asked = collection.frames_per_second or settings.SIGHTLINE_FRAMES_PER_SECOND
    step = max(1, round(1000 / min(max(asked, 0.01), 30.0)))
    most = max(1, settings.SIGHTLINE_FRAME_LIMIT)
    if seconds * 1000 / step <= most:
        return step, ""
    step = math.ceil(seconds * 1000 / most)
    return step, (
        f"It is so long that one frame in {step / 1000:g} seconds is looked at, {most} in all; "
        "SIGHTLINE_FRAME_LIMIT allows more."
    )


def chunk_end(first_ms: int, step_ms: int) -> int:
    """Where the chunk that holds `first_ms` ends, in milliseconds."""
    length = CHUNK_FRAMES * step_ms
    return (first_ms // length + 1) * length

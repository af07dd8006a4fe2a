"""Which renditions the archive makes of every picture."""

from __future__ import annotations

from dataclasses import dataclass

RECIPE_VERSION = 1
"""Raise it whenever a change makes other bytes of the same original: renditions are then made anew."""


MAX_PIXELS = 80_000_000
"""Larger originals are refused from their header, before anything is unpacked."""


@dataclass(frozen=True, slots=True)
class Spec:
    """Size in pixels, sides as people see them (upright). Nothing is ever enlarged."""

    name: str
    media_type: str
    quality: int
    longest: int
    shortest: int | None = None
    """Where given, the shortest side comes down to this number, as long as the longest allows it."""
    effort: int = 2
    """WebP's `method`: from 2 to 3 the time triples and the file shrinks by a fiftieth."""

    def size_for(self, width: int, height: int) -> tuple[int, int]:
        scale = min(1.0, self.longest / max(width, height))
        if self.shortest is not None:
            scale = min(scale, self.shortest / min(width, height))
        return max(1, round(width * scale)), max(1, round(height * scale))


THUMBNAIL = Spec("thumbnail", "image/webp", quality=78, longest=640)
PREVIEW = Spec("preview", "image/webp", quality=82, longest=2048)
# For the encoder no chroma is thrown away, and its shortest side covers every model's window.
ENCODER = Spec("encoder", "image/jpeg", quality=92, longest=2048, shortest=512)

# Of a film: one for each sampled second, as wide as any model's window, so that a new one decodes no film again. Of
# photographs as frames of 1280 x 720 that is 97 kB; 384 pixels, which the largest models would see enlarged, are 61.
FRAME = Spec("frame", "image/jpeg", quality=85, longest=2048, shortest=512)

# What a browser is given instead of a film that it cannot play: so large at most.
PLAYABLE = Spec("playable", "video/mp4", quality=24, longest=1280)

POSTER_SPECS: tuple[Spec, ...] = (THUMBNAIL, PREVIEW)
ALL_SPECS: tuple[Spec, ...] = (THUMBNAIL, PREVIEW, ENCODER)

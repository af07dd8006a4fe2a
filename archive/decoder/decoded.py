"""What one decoding gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Rendition:
    data: bytes
    width: int
    height: int
    media_type: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What a picture says about itself. Everything is clean: JSON-able, no control characters.

    `taken_at` is an ISO date-time without a zone, the clock on the wall where the picture was taken;
    `taken_offset` is "+02:00" and the like, or None where the camera did not say.
    """

    taken_at: str | None = None
    taken_offset: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    camera: str = ""
    title: str = ""
    caption: str = ""
    keywords: tuple[str, ...] = ()
    exif: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decoded(Facts):
    """`width` and `height` are those of the original, upright: as people see it.

    `format` is the short name ("JPEG"), `notes` are sentences about what was odd but bearable. `duration` is that
    of a film, in seconds: where its last frame ends. A film's `exif` says how it is coded.
    """

    format: str = ""
    media_type: str = ""
    width: int = 0
    height: int = 0
    notes: tuple[str, ...] = ()
    renditions: dict[str, Rendition] = field(default_factory=dict)
    duration: float | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a film as MP4: a header (`ftyp`, `moov`), then fragments. It ends before `reached_ms`."""

    data: bytes
    reached_ms: int
    ended: bool


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some frames of a film: (milliseconds, JPEG) in order. All before `reached_ms` is done; `ended`: and all else."""

    frames: list[tuple[int, bytes]]
    reached_ms: int
    ended: bool
    notes: tuple[str, ...] = ()

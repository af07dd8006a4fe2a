"""What both kinds of reel offer, and what is known of a film."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from PIL import Image

from archive.decoder.decoded import Facts
from archive.decoder.specs import Spec


@dataclass
class Known:
    """`width` and `height` upright, with square pixels; `seconds` from the frames, not from what a header says."""

    width: int
    height: int
    seconds: float
    facts: Facts = field(default_factory=Facts)
    technical: dict[str, str | float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Reel(Protocol):
    label: str
    damaged: int

    def know(self) -> Known:
        """Raises Undecodable where there is nothing to see."""
        ...

    def frames(self, first_ms: int, step_ms: int, spec: Spec) -> Iterator[tuple[int, Image.Image]]:
        """The first frame of each step from `first_ms` on: (milliseconds from the beginning, picture within `spec`)."""
        ...

"""Joining pieces of MP4 into one film: bytes behind bytes, with an index in front, so that players can jump.

A piece is a header (`ftyp`, `moov`) and fragments with absolute times (archive.decoder.films.pieces). The film is
the first piece's header, a segment index (`sidx`, ISO/IEC 14496-12, 8.16.3) and the fragments of all. Nothing is
decoded or understood here but the lengths of boxes.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.core.files.base import File
from django.core.files.storage import default_storage

from archive.decoder.boxes import fragments, walk

TICKS = 90_000
PICTURES = 1  # the track
STARTS_WITH_KEY_FRAME = 0x90000000


@dataclass(frozen=True)
class Part:
    """A stored piece: the time of its first picture in ticks, its header's length and its own, in bytes."""

    key: str
    first: int
    header: int
    size: int


def header_length(piece: bytes) -> int:
    """Bytes before the first fragment. Raises ValueError where there is none."""
    for box in walk(piece):
        if box.name == b"moof":
            return box.start
    raise ValueError("a piece without a fragment")


def first_time(piece: bytes) -> int:
    """Ticks of its first picture: what its first fragment says of track 1. Raises ValueError."""
    first = next(fragments(piece), None)
    if first is None or first.track != PICTURES:
        raise ValueError("a piece that does not begin with pictures")
    return first.time


def index_of(parts: Sequence[Part], end: int) -> bytes:
    """The `sidx` box, version 1, of a film that ends at `end` ticks. Times must be exact: players add them up."""
    lengths = [later.first - part.first for part, later in pairwise(parts)] + [max(1, end - parts[-1].first)]
    references = b"".join(
        struct.pack(">III", part.size - part.header, length, STARTS_WITH_KEY_FRAME)
        for part, length in zip(parts, lengths, strict=True)
    )
    body = struct.pack(">IIIQQHH", 1 << 24, PICTURES, TICKS, parts[0].first, 0, 0, len(parts)) + references
    return struct.pack(">I4s", 8 + len(body), b"sidx") + body


class Joined(File):  # type: ignore[type-arg]  # generic in the stubs only
    """The film as a file that is read once, piece after piece."""

    def __init__(self, parts: Sequence[Part], end: int, name: str) -> None:
        super().__init__(None, name)
        self.parts = parts
        self.end = end
        self.written = 0

    @property
    def digest(self) -> str:
        """Another one for other parts."""
        told = [(part.key, part.first, part.header, part.size) for part in self.parts]
        return hashlib.sha256(repr((told, self.end)).encode()).hexdigest()[:16]

    def chunks(self, chunk_size: int | None = None) -> Iterator[Any]:
        for number, part in enumerate(self.parts):
            with default_storage.open(part.key) as file:
                data: bytes = file.read()
            if number == 0:
                yield self._counted(data[: part.header] + index_of(self.parts, self.end))
            yield self._counted(data[part.header :])

    def _counted(self, data: bytes) -> bytes:
        self.written += len(data)
        return data

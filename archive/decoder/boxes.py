"""The boxes of an MP4, walked by their lengths (ISO/IEC 14496-12, 4.2): media data may hold any word by chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

HEAD, LONG_HEAD = 8, 16


@dataclass(frozen=True)
class Box:
    """`data[start:end]` is the box, its content begins at `body`."""

    name: bytes
    start: int
    body: int
    end: int


@dataclass(frozen=True)
class Fragment:
    """What a fragment says of one track: the eight bytes at `place` are the time of its first sample."""

    track: int
    time: int
    place: int


def walk(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes of `data[start:end]`, which lie one behind the other. Raises ValueError where they do not."""
    end = len(data) if end is None else end
    while start < end:
        length, head = int.from_bytes(data[start : start + 4], "big"), HEAD
        if length == 1:
            length, head = int.from_bytes(data[start + 8 : start + 16], "big"), LONG_HEAD
        elif length == 0:  # to the end
            length = end - start
        if length < head or start + length > end:
            raise ValueError("a box of a length that cannot be")
        yield Box(data[start + 4 : start + 8], start, start + head, start + length)
        start += length


def fragments(data: bytes) -> Iterator[Fragment]:
    """Those of all tracks, in order. Raises ValueError where one does not say its time in 64 bits."""
    for outer in walk(data):
        if outer.name != b"moof":
            continue
        for box in walk(data, outer.body, outer.end):
            if box.name == b"traf":
                yield _fragment(data, box)


def _fragment(data: bytes, traf: Box) -> Fragment:
    inner = {box.name: box.body for box in walk(data, traf.body, traf.end)}
    header, decoding = inner.get(b"tfhd"), inner.get(b"tfdt")
    if header is None or decoding is None or data[decoding] != 1:
        raise ValueError("a fragment without a long time")
    place = decoding + 4
    return Fragment(
        track=int.from_bytes(data[header + 4 : header + 8], "big"),
        time=int.from_bytes(data[place : place + 8], "big"),
        place=place,
    )

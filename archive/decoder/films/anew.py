"""Timestamps that begin anew within a film: recordings that were joined byte by byte, and the chapters of a DVD.

Such a film cannot be jumped in by time. It is read from its beginning, and what follows goes on where the part
before it ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from av.container import InputContainer

from archive.decoder.films.watched import despite_damage

# Other containers keep their times in a table, or count on.
JOINABLE = ("mpeg", "mpegts")
PLACES = 40  # in the file, at which its time is looked up
BACK = 2.0  # seconds: pictures are stored out of order, and what is guessed behind a jump is off by less
HALF_A_ROUND = 2**32 / 90_000  # seconds: a count of 33 bits that begins anew goes back by more


def begins_anew(container: InputContainer, stream: Any) -> bool:
    """Whether a later place of the file has an earlier time. Moves the container."""
    if container.format.name not in JOINABLE:
        return False
    before = None
    for number in range(PLACES):
        at = _time_at(container, stream, container.size * number // PLACES)
        if at is not None:
            if before is not None and _is_back(before, at):
                return True
            before = at
    return False


def continued(container: InputContainer, stream: Any) -> Iterator[Any]:
    """The packets of `stream`, from the beginning, with times that only go on.

    All streams of a part are moved alike. So those of others are looked at, too: the same for whoever asks.
    """
    container.seek(0, unsupported_byte_offset=True)  # to the first byte
    moved = [0.0]  # by how many seconds each part is
    part: dict[int, int] = {}  # in which one each stream is
    last: dict[int, float] = {}
    reached = 0.0
    for packet in container.demux([*container.streams.video, *container.streams.audio]):
        when, base = packet.dts if packet.dts is not None else packet.pts, packet.time_base
        if packet.size and when is not None and base:
            index, at = packet.stream.index, float(when * base)
            if index in last and _is_back(last[index], at):
                part[index] = part.get(index, 0) + 1
                if part[index] == len(moved):
                    moved.append(reached - at)
            last[index] = at
            by = moved[part.get(index, 0)]
            if at < HALF_A_ROUND or not by:
                reached = max(reached, at + by + float((packet.duration or 0) * base))
            if by:
                ticks = round(by / base)
                packet.pts = None if packet.pts is None else packet.pts + ticks
                packet.dts = None if packet.dts is None else packet.dts + ticks
        if packet.stream is stream:
            yield packet


def _is_back(before: float, at: float) -> bool:
    return BACK < before - at < HALF_A_ROUND


def _time_at(container: InputContainer, stream: Any, place: int) -> float | None:
    with despite_damage():
        container.seek(place, unsupported_byte_offset=True)
        for packet in container.demux(stream):
            if packet.pts is not None and packet.time_base:
                return float(packet.pts * packet.time_base)
    return None

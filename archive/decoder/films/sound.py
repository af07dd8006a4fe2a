"""The sound of a stretch of a film, as an encoder of AAC takes it: stereo, 48,000 samples a second, on one grid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.error import FFmpegError, InvalidDataError

from archive.decoder.films.anew import continued
from archive.decoder.films.footage import Footage
from archive.decoder.films.watched import despite_damage

RATE = 48_000
GRID = 1024  # samples of an AAC frame
RUN_UP = 3 * GRID

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sound:
    """`samples` (2, n) from the sample `begins` on. `heard`: there is something in it, if only recorded silence."""

    begins: int
    samples: Samples
    heard: bool


def sound_of(film: Footage, first_ms: int, until_ms: int) -> Sound:
    """`[first_ms, until_ms)` with its run-up, silence where there is none. `film` has sound, and is moved."""
    stream = film.container.streams.audio[0]
    assert stream.time_base is not None
    target = max(0.0, (on_grid(first_ms) - RUN_UP) / RATE - 1) + film.zero_ms / 1000
    with despite_damage():
        film.container.seek(int(target / stream.time_base), stream=stream, backward=True)
    return _laid(first_ms, until_ms, _parts(film, film.container.demux(stream)))


class Track:
    """The sound of a film that cannot be jumped in: stretch after stretch, read on. `film` has sound, and is moved."""

    def __init__(self, film: Footage) -> None:
        self._parts = _parts(film, continued(film.container, film.container.streams.audio[0]))
        self._read: list[tuple[int, Samples]] = []

    def between(self, first_ms: int, until_ms: int) -> Sound:
        """As `sound_of`; no later one begins before."""
        begins, end = on_grid(first_ms) - RUN_UP, on_grid(until_ms) + 2 * GRID
        self._read = [(place, samples) for place, samples in self._read if place + samples.shape[1] > begins]
        for place, samples in self._parts:
            if place + samples.shape[1] > begins:
                self._read.append((place, samples))
            if place > end:
                break
        return _laid(first_ms, until_ms, self._read)


def _laid(first_ms: int, until_ms: int, parts: Iterable[tuple[int, Samples]]) -> Sound:
    first, last = on_grid(first_ms), on_grid(until_ms)
    begins, end = first - RUN_UP, last + 2 * GRID
    room = np.zeros((2, end - begins), dtype=np.float32)
    heard = False
    for place, samples in parts:
        _lay(room, samples, place - begins)
        heard = heard or (place < last and place + samples.shape[1] > first)
        if place + samples.shape[1] > end:
            break
    return Sound(begins, room, heard)


def _parts(film: Footage, packets: Iterator[Any]) -> Iterator[tuple[int, Samples]]:
    """(first sample, samples (2, n)) of what is decoded."""
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE)
    place: int | None = None
    for frame in _decoded(packets):
        if frame.pts is None or frame.time_base is None:
            continue
        at = float(frame.pts * frame.time_base) - film.zero_ms / 1000
        said = round(at * RATE)
        if place is None or abs(said - place) > RATE // 10:  # a gap, or a jump
            place = said
        for part in resampler.resample(frame):
            samples = part.to_ndarray().astype(np.float32)
            yield place, samples
            place += samples.shape[1]


def on_grid(ms: int) -> int:
    """The first sample of the AAC frame at or behind that millisecond."""
    return -(-ms * RATE // 1000 // GRID) * GRID


def _decoded(packets: Iterator[Any]) -> Iterator[Any]:
    while True:
        try:
            for packet in packets:
                yield from packet.decode()
            return
        except MemoryError:
            raise
        except InvalidDataError:
            continue
        except (FFmpegError, ValueError):
            return


def _lay(room: Samples, heard: Samples, at: int) -> None:
    first, last = max(0, at), min(room.shape[1], at + heard.shape[1])
    if first < last:
        room[:, first:last] = heard[:2, first - at : last - at]

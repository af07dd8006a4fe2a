"""The sound of a stretch of a film, as an encoder of AAC takes it: stereo, 48,000 samples a second, on one grid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.error import FFmpegError, InvalidDataError

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
    first, last = on_grid(first_ms), on_grid(until_ms)
    begins, end = first - RUN_UP, last + 2 * GRID
    room = np.zeros((2, end - begins), dtype=np.float32)
    stream = film.container.streams.audio[0]
    assert stream.time_base is not None
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE)
    target = max(0.0, begins / RATE - 1) + film.zero_ms / 1000
    with despite_damage():
        film.container.seek(int(target / stream.time_base), stream=stream, backward=True)
    place: int | None = None
    heard = False
    for frame in _frames(film.container, stream):
        if frame.pts is None or frame.time_base is None:
            continue
        at = float(frame.pts * frame.time_base) - film.zero_ms / 1000
        said = round(at * RATE)
        if place is None or abs(said - place) > RATE // 10:  # a gap, or a jump
            place = said
        for part in resampler.resample(frame):
            samples = part.to_ndarray()
            _lay(room, samples.astype(np.float32), place - begins)
            heard = heard or (place < last and place + samples.shape[1] > first)
            place += samples.shape[1]
        if place > end:
            break
    return Sound(begins, room, heard)


def on_grid(ms: int) -> int:
    """The first sample of the AAC frame at or behind that millisecond."""
    return -(-ms * RATE // 1000 // GRID) * GRID


def _frames(container: Any, stream: Any) -> Iterator[Any]:
    packets = container.demux(stream)
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

"""A film's file under watch: what its store fails at, and for how long it has been read, is never lost in a parser.

FFmpeg and Pillow take an error of `read` for the end or for damage. Here it is kept, so that whoever asked can tell
a failing store from a damaged film.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from av.error import FFmpegError

from archive.decoder.opening import guarded
from archive.decoder.refusals import DecoderTimedOut, StoreFailed, Undecodable, refusal_of

BUFFER = 256 * 1024


class Late(Exception):
    """The time for this is over."""


class Watched:
    """`file` under a clock: after so many seconds reading raises `Late`."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.failed: OSError | None = None
        self.label = "film"  # what it is called in a refusal, as far as that is known
        self.seconds = self.stop = 0.0

    def reader(self) -> IO[bytes]:
        """The file from its beginning. Several may read it at once, each at a place of its own."""
        return io.BufferedReader(_Reader(self), BUFFER)

    def allow(self, seconds: float) -> None:
        """So many more from now."""
        self.stop = time.monotonic() + seconds

    def read_at(self, place: int, size: int) -> bytes:
        self.look_at_clock()
        try:
            self.file.seek(place)
            return self.file.read(size)
        except OSError as problem:
            self.failed = problem
            raise

    def look_at_clock(self) -> None:
        if time.monotonic() > self.stop:
            raise Late

    def raise_failure(self) -> None:
        """Raises `StoreFailed` where the store failed, whatever a parser made of it."""
        if self.failed is not None:
            raise StoreFailed(str(self.failed)) from self.failed


class _Reader(io.RawIOBase):
    def __init__(self, watched: Watched) -> None:
        super().__init__()
        self.watched = watched
        self.place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any buffer, say the stubs
        data = self.watched.read_at(self.place, len(buffer))
        buffer[: len(data)] = data
        self.place += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence == io.SEEK_END:
            offset += self.watched.file.seek(0, io.SEEK_END)
        elif whence == io.SEEK_CUR:
            offset += self.place
        self.place = offset
        return self.place


@contextmanager
def watching(watched: Watched, seconds: float, max_pixels: int) -> Iterator[None]:
    """So many seconds for what is done with it; whatever goes wrong then is raised as what it is.

    Raises StoreFailed (also where a parser passed over it), DecoderTimedOut, else Undecodable.
    """
    watched.seconds = seconds
    watched.allow(seconds)
    try:
        with guarded(max_pixels):
            yield
    except (Undecodable, ImportError, PermissionError):
        watched.raise_failure()
        raise
    except Late:
        raise DecoderTimedOut(seconds) from None
    except Exception as problem:
        watched.raise_failure()
        raise refusal_of(problem, watched.label) from problem
    watched.raise_failure()


@contextmanager
def despite_damage() -> Iterator[None]:
    """Passes over what FFmpeg finds damaged. A lack of memory is none, though FFmpeg's error for it looks alike."""
    try:
        yield
    except MemoryError:
        raise
    except (FFmpegError, ValueError):
        return

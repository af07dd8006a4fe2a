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


class Watched(io.RawIOBase):
    """`file`, readable for so many seconds, behind which reading raises `Late`."""

    def __init__(self, file: IO[bytes], seconds: float) -> None:
        super().__init__()
        self.file = file
        self.seconds = seconds
        self.failed: OSError | None = None
        self.label = "film"  # what it is called in a refusal, as far as that is known
        self.allow(seconds)

    def allow(self, seconds: float) -> None:
        """So many more from now."""
        self.stop = time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any buffer, say the stubs
        self.look_at_clock()
        try:
            data = self.file.read(len(buffer))
        except OSError as problem:
            self.failed = problem
            raise
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()

    def look_at_clock(self) -> None:
        if time.monotonic() > self.stop:
            raise Late

    def raise_failure(self) -> None:
        """Raises `StoreFailed` where the store failed, whatever a parser made of it."""
        if self.failed is not None:
            raise StoreFailed(str(self.failed)) from self.failed


@contextmanager
def watching(file: IO[bytes], seconds: float, max_pixels: int) -> Iterator[tuple[Watched, IO[bytes]]]:
    """The watch, and the file to read; whatever goes wrong then is raised as what it is.

    Raises StoreFailed (also where a parser passed over it), DecoderTimedOut, else Undecodable.
    """
    watched = Watched(file, seconds)
    try:
        with guarded(max_pixels):
            yield watched, io.BufferedReader(watched, BUFFER)
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

"""The film that the last job was about, for the next to go on with.

A film that has no key frame near has to be decoded from far before: if each stretch began anew, the whole of it would
take as long as its square. Here the decoder waits where it stands. Nothing depends on it: a child that has died is
replaced by one that seeks its way.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Protocol, TypeVar


class Reader(Protocol):
    def stands_at(self, first_ms: int, step_ms: int) -> bool:
        """Whether what follows from there, in such steps, is the next it reads."""
        ...

    @property
    def goes_on(self) -> bool:
        """Whether anything can follow."""
        ...


Some = TypeVar("Some", bound=Reader)
Identity = tuple[int, int, int, int]


class Kept:
    def __init__(self) -> None:
        self._reader: Reader | None = None
        self._file: IO[bytes] | None = None
        self._identity: Identity | None = None

    @contextmanager
    def reader(
        self, kind: type[Some], make: Callable[[IO[bytes]], Some], fd: int, first_ms: int, step_ms: int
    ) -> Iterator[Some]:
        """The one that stands there, else a new one for the file `fd`, which is taken over. What fails is not kept."""
        known = self._reader
        if isinstance(known, kind) and known.stands_at(first_ms, step_ms) and self._identity == _identity(fd):
            os.close(fd)
            reader = known
        else:
            del known  # else it would outlive what follows
            self.forget()
            self._identity, self._file = _identity(fd), os.fdopen(fd, "rb")
            self._reader = reader = make(self._file)
        try:
            yield reader
        except BaseException:
            self.forget()
            raise
        if not reader.goes_on:
            self.forget()

    def forget(self) -> None:
        """It has its memory back before another film is opened."""
        if self._file is None:
            return
        self._file.close()
        self._reader = self._file = self._identity = None
        gc.collect()


def _identity(fd: int) -> Identity:
    """Two descriptors of one file have the same; it was not written to meanwhile."""
    stat = os.fstat(fd)
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns

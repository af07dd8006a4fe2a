"""The door to the decoder: a warm, confined child process that is replaced whenever it dies."""

from __future__ import annotations

import math
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial
from io import BufferedReader, BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeVar

from archive.decoder.answer import read_answer, read_frames, read_piece
from archive.decoder.confinement import DEFAULT_MEMORY, ORPHANED
from archive.decoder.decoded import Decoded, Piece, Stretch
from archive.decoder.refusals import DecoderCrashed, DecoderTimedOut
from archive.decoder.specs import ALL_SPECS, MAX_PIXELS, POSTER_SPECS, Spec
from archive.decoder.wire import Garbled, Hangup, receive, send

Answer = TypeVar("Answer")
Reader = Callable[[dict[str, Any], list[bytes]], Answer]

JOBS_PER_CHILD = 500
SECONDS_TO_START = 60.0

ROOT = Path(__file__).resolve().parents[2]
# Left alone, glibc keeps blocks of up to 32 MB to give them out again, and what lies between grows hole by hole.
GIVES_BACK = {"MALLOC_TRIM_THRESHOLD_": str(1024 * 1024), "MALLOC_MMAP_THRESHOLD_": str(1024 * 1024)}
PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "SYSTEMROOT", "TMPDIR")


class Sandbox:
    """Decodes untrusted pictures, and with `films` videos too, in a process of its own, one at a time.

    Use one for each thread that decodes: sharing is safe but queues behind a lock. It may be made before a
    fork; each process then gets its own child. The child starts at the first `decode` and stays warm.
    """

    def __init__(
        self,
        *,
        memory: int = DEFAULT_MEMORY,
        max_pixels: int = MAX_PIXELS,
        jobs_per_child: int = JOBS_PER_CHILD,
        films: bool = False,
    ) -> None:
        self.films = films
        self.memory = memory
        self.max_pixels = max_pixels
        self.jobs_per_child = jobs_per_child
        self.confined: tuple[str, ...] = ()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._owner = 0
        self._jobs = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The child's, while there is one."""
        return self._process.pid if self._process else None

    def decode(
        self,
        source: Path | BinaryIO | bytes,
        *,
        specs: Sequence[Spec] = ALL_SPECS,
        deadline: float = 20.0,
    ) -> Decoded:
        """Facts and renditions of the picture in `source`, read from its beginning.

        Raises Undecodable (this file never will), DecoderCrashed, DecoderTimedOut (after `deadline` seconds,
        in which the start of a child does not count), and OSError where `source` cannot be opened.
        """
        job = {"job": "picture", "specs": [asdict(spec) for spec in specs]}
        return self._answered(source, job, deadline, partial(read_answer, specs=specs))

    def look_at_film(
        self, source: Path | BinaryIO, *, specs: Sequence[Spec] = POSTER_SPECS, deadline: float = 120.0
    ) -> Decoded:
        """What a film says of itself, its true length, and its poster in `specs`. Raises as `decode`."""
        job = {"job": "film", "specs": [asdict(spec) for spec in specs], "seconds": deadline / 4}
        return self._answered(source, job, deadline, partial(read_answer, specs=specs))

    def read_stretch(
        self, source: Path | BinaryIO, first_ms: int, until_ms: int, step_ms: int, *, deadline: float = 120.0
    ) -> Stretch:
        """The frames of `[first_ms, until_ms)`, one for each step; fewer where that takes long. Raises as `decode`."""
        job = {"job": "frames", "first_ms": first_ms, "until_ms": until_ms, "step_ms": step_ms}
        return self._answered(source, job | {"seconds": deadline / 4}, deadline, read_frames)

    def make_piece(self, source: Path | BinaryIO, first_ms: int, until_ms: int, *, deadline: float = 120.0) -> Piece:
        """`[first_ms, until_ms)` for browsers; it ends earlier where that takes long. Raises as `decode`."""
        job = {"job": "piece", "first_ms": first_ms, "until_ms": until_ms}
        return self._answered(source, job | {"seconds": deadline / 4}, deadline, read_piece)

    def _answered(
        self,
        source: Path | BinaryIO | bytes,
        job: dict[str, Any],
        deadline: float,
        read: Reader[Answer],
    ) -> Answer:
        with self._lock, _descriptor(source) as fd:
            try:
                return self._ask(fd, job, deadline, read)
            except DecoderCrashed as crash:
                if crash.signal != ORPHANED:
                    raise
                # Nothing wrong with the file: the thread that had started the child ended meanwhile.
                return self._ask(fd, job, deadline, read)

    def close(self) -> None:
        with self._lock:
            self._end()

    def _ask(self, fd: int, job: dict[str, Any], deadline: float, read: Reader[Answer]) -> Answer:
        sock = self._get_child()
        self._jobs += 1
        until = time.monotonic() + deadline
        limits = {"max_pixels": self.max_pixels, "cpu_seconds": math.ceil(deadline) + 1}
        try:
            sock.settimeout(deadline)
            send(sock, job | limits, fd=fd)
            return read(*receive(sock, until))
        except TimeoutError:
            self._end()
            raise DecoderTimedOut(deadline) from None
        except Hangup:
            raise DecoderCrashed(self._end()) from None
        except Garbled as problem:
            self._end()
            raise DecoderCrashed(None, f"It answered with {problem}.") from None
        except BaseException as problem:
            # An interrupt in the middle of an answer would leave its rest for the next job.
            if not getattr(problem, "permanent", False):
                self._end()
            raise

    def _get_child(self) -> socket.socket:
        if self._owner != os.getpid():
            self._forget()
        alive = self._process is not None and self._process.poll() is None
        if not alive or self._jobs >= self.jobs_per_child:
            self._end()
            self._start()
        assert self._socket is not None
        return self._socket

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "archive.decoder.child", str(self.memory), str(int(self.films))],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=child_environment() | (GIVES_BACK if self.films else {}),
            )
        self._socket, self._owner, self._jobs = ours, os.getpid(), 0
        try:
            hello, _ = receive(ours, time.monotonic() + SECONDS_TO_START)
        except (Hangup, Garbled, TimeoutError):
            raise self._stillborn() from None
        self.confined = tuple(hello["confined"])

    def _stillborn(self) -> DecoderCrashed:
        """It failed before it was confined, so its complaint is still on its standard error."""
        process = self._process
        assert process is not None
        assert process.stderr is not None
        process.kill()
        lines = process.stderr.read().decode(errors="replace").strip().splitlines()
        said = lines[-1] if lines else "it said nothing"
        return DecoderCrashed(self._end(), f"It could not start: {said}.")

    def _end(self) -> int | None:
        """Whatever is left of the child goes. Returns the signal that it had died of, if it had."""
        process, sock = self._process, self._socket
        self._process = self._socket = None
        if sock is not None:
            sock.close()
        if process is None:
            return None
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.2)  # it leaves by itself at a hang-up, or is just dying
        if process.returncode is None:
            process.kill()
            process.wait()
        if process.stderr is not None:
            process.stderr.close()
        return -process.returncode if process.returncode < 0 else None

    def _forget(self) -> None:
        """After a fork the child belongs to the other process: close our copies, leave it alone."""
        if self._socket is not None:
            self._socket.close()
        if self._process is not None:
            self._process.returncode = 0  # keeps subprocess from waiting for somebody else's child
            if self._process.stderr is not None:
                self._process.stderr.close()
        self._process = self._socket = None


def child_environment() -> dict[str, str]:
    """Neither passwords nor database addresses: only what Python needs to start."""
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {**passed_on, "PYTHONPATH": str(ROOT), "MALLOC_ARENA_MAX": "1"}


@contextmanager
def _descriptor(source: Path | BinaryIO | bytes) -> Iterator[int]:
    """An open descriptor at the beginning of the content; the position of a stream's own stays put."""
    if isinstance(source, BufferedReader):
        source = _same_file(source)
    if isinstance(source, Path):
        with source.open("rb") as file:
            yield file.fileno()
        return
    with _scratch() as copy:
        stream = BytesIO(source) if isinstance(source, bytes) else source
        if stream.seekable():
            stream.seek(0)
        shutil.copyfileobj(stream, copy, 1024 * 1024)
        copy.flush()
        os.lseek(copy.fileno(), 0, os.SEEK_SET)
        yield copy.fileno()


def _same_file(stream: BufferedReader) -> Path | BufferedReader:
    """A way to open a plain file once more instead of copying it, where the system has one."""
    again = Path(f"/proc/self/fd/{stream.fileno()}")
    return again if again.is_file() else stream


def _scratch() -> BinaryIO:
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("picture"), "w+b")
    return tempfile.TemporaryFile()

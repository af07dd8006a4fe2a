"""Many files at once: what `manage.py ingest` does, without a word printed."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from django.db import connection

from archive import dispatch
from archive.folders import NotTaken
from archive.incoming import StorageFull, TooLarge, receive_file, size_limit
from archive.ingest import EmptyFile, Ingested, ingest_file
from archive.models import Collection, Step
from archive.models.work import Priority
from archive.sniff import HEAD, UnsupportedMedia, sniff_media

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# One doorbell wakes a worker, who then works until nothing waits: more of them only cost time.
RING_EVERY = 100
# Measured on a busy disk that takes 7 ms to sync: one thread 27 files a second, two 74, four 95
# (bare hashing, copying and syncing, one file after the other: 92).
THREADS = 4

Taken = tuple[Path, "Ingested | NotTaken"]


@dataclass
class Tally:
    """What became of the files so far. `paths` has one entry an asset, under its row's id."""

    new: int = 0
    duplicate: int = 0
    failed: list[NotTaken] = field(default_factory=list)
    assets: list[str] = field(default_factory=list)
    paths: dict[int, Path] = field(default_factory=dict)

    @property
    def files(self) -> int:
        return self.new + self.duplicate + len(self.failed)

    def add(self, path: Path, taken: Ingested | NotTaken) -> None:
        if isinstance(taken, NotTaken):
            self.failed.append(taken)
            return
        self.new += taken.new
        self.duplicate += not taken.new
        if taken.asset.pk not in self.paths:
            self.paths[taken.asset.pk] = path
            self.assets.append(str(taken.asset.uuid))


def ingest_files(
    found: Iterable[Path | NotTaken], collection: Collection, uploader: User | None, tally: Tally
) -> Iterator[Tally]:
    """Take in files, a few at a time; yields `tally` after each.

    A file that is refused does not stop the others; a full disk does, for it would refuse all of
    them. Whoever stops early loses nothing: `tally` counts all that is in, and the bell is rung for it.
    """
    takers = Takers(found, collection, uploader)
    unheard = 0
    try:
        for path, taken in takers.results():
            tally.add(path, taken)
            unheard += isinstance(taken, Ingested) and taken.new
            if unheard >= RING_EVERY:
                dispatch.ring(Step.PREPARE)
                unheard = 0
            yield tally
    finally:
        for path, taken in takers.finish():
            tally.add(path, taken)
            unheard += isinstance(taken, Ingested) and taken.new
        if unheard:
            dispatch.ring(Step.PREPARE)


class Takers:
    """Threads that take from one stream of files: while one waits for the disk, others go on.

    A file waits four times for the disk (its bytes, its folder, new parents, the commit), so one
    thread alone reaches a quarter of what the disk can do.
    """

    def __init__(self, found: Iterable[Path | NotTaken], collection: Collection, uploader: User | None) -> None:
        self._found = iter(found)
        self._into = (collection, uploader)
        self._turn = threading.Lock()
        self._stopped = threading.Event()
        self._results: SimpleQueue[Taken | BaseException | None] = SimpleQueue()
        self._threads = [threading.Thread(target=self._run, name="ingest") for _ in range(THREADS)]
        self._running = 0

    def results(self) -> Iterator[Taken]:
        """As they come, until the files are at an end. What broke in a thread is raised here."""
        for thread in self._threads:
            thread.start()
            self._running += 1
        while self._running:
            one = self._results.get()
            if isinstance(one, BaseException):
                raise one
            if one is None:
                self._running -= 1
            else:
                yield one

    def stop(self) -> None:
        """No new file is begun."""
        self._stopped.set()

    def finish(self) -> Iterator[Taken]:
        """Stop, wait for the files that were begun, and give those that nobody has heard of yet."""
        self.stop()
        for thread in self._threads:
            if thread.ident:
                thread.join()
        while not self._results.empty():
            one = self._results.get()
            if isinstance(one, tuple):
                yield one

    def _run(self) -> None:
        try:
            while (one := self._next()) is not None:
                path = one.path if isinstance(one, NotTaken) else one
                taken = one if isinstance(one, NotTaken) else take(one, *self._into)
                if isinstance(taken, DiskFull):
                    self.stop()
                self._results.put((path, taken))
        except BaseException as error:  # it is raised again where somebody hears it
            self._results.put(error)
        finally:
            connection.close()
            self._results.put(None)

    def _next(self) -> Path | NotTaken | None:
        with self._turn:
            return None if self._stopped.is_set() else next(self._found, None)


@dataclass(frozen=True)
class DiskFull(NotTaken):
    """Nothing behind this file was tried."""


def take(path: Path, collection: Collection, uploader: User | None) -> Ingested | NotTaken:
    try:
        refuse_early(path)
        incoming = receive_file(path)
        return ingest_file(
            incoming, collection=collection, uploader=uploader, filename=path.name, priority=Priority.BULK, ring=False
        )
    except StorageFull as error:
        return DiskFull(path, f"{error} The files behind this one were not tried.")
    except (EmptyFile, UnsupportedMedia, TooLarge) as error:
        return NotTaken(path, str(error))
    except OSError as error:
        return NotTaken(path, f"This file cannot be read: {error.strerror or error}.")


def refuse_early(path: Path) -> None:
    """Before a byte is copied: what is too large should not be written to disk just to be refused."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head:
        raise EmptyFile
    sniff_media(head)
    limit = size_limit(head)
    if path.stat().st_size > limit:
        raise TooLarge(limit)

"""Many files at once: what `manage.py ingest` does, without a word printed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from archive import dispatch
from archive.folders import NotTaken
from archive.incoming import StorageFull, TooLarge, receive_file
from archive.ingest import EmptyFile, Ingested, ingest_file
from archive.models import Collection, Step
from archive.models.work import Priority
from archive.sniff import HEAD, UnsupportedMedia, sniff_picture

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# One doorbell wakes a worker, who then works until nothing waits: more of them only cost time.
RING_EVERY = 100


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
    """Take in files one after the other; yields `tally` after each.

    A file that is refused does not stop the others; a full disk does, for it would refuse all of
    them. Whoever stops early loses nothing: the bell is rung for what is in.
    """
    unheard = 0
    try:
        for one in found:
            path = one.path if isinstance(one, NotTaken) else one
            taken = one if isinstance(one, NotTaken) else take(one, collection, uploader)
            tally.add(path, taken)
            unheard += isinstance(taken, Ingested) and taken.new
            if unheard >= RING_EVERY:
                dispatch.ring(Step.PREPARE)
                unheard = 0
            yield tally
            if isinstance(taken, DiskFull):
                return
    finally:
        if unheard:
            dispatch.ring(Step.PREPARE)


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
    """Before a byte is copied: a folder of films should not be written to disk just to be refused."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head:
        raise EmptyFile
    sniff_picture(head)
    if path.stat().st_size > settings.SIGHTLINE_UPLOAD_LIMIT:
        raise TooLarge(settings.SIGHTLINE_UPLOAD_LIMIT)

"""Bytes on their way in: hashed and counted while they stream, refused as soon as they are too many."""

from __future__ import annotations

import hashlib
import shutil
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from django.conf import settings
from django.core.files.storage import storages
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload

from archive.sniff import FILMS, sniff
from archive.storage import DurableStorage, sync

if TYPE_CHECKING:
    Upload = UploadedFile[bytes]
else:  # generic in the stubs only
    Upload = UploadedFile

HEAD = 4096
MOST_OF_A_DISK = 2 * 2**30  # bytes that are kept of a disk for being a large one
LOOK_EVERY = 256 * 1024 * 1024  # bytes after which the room on the disk is looked at again


class TooLarge(Exception):
    """More bytes than `limit`."""

    def __init__(self, limit: int) -> None:
        size = f"{limit // 2**30} GB" if limit >= 10 * 2**30 else f"{limit // 2**20} MB"
        super().__init__(f"This file is larger than {size}, the most that is accepted here.")
        self.limit = limit


class StorageFull(Exception):
    def __init__(self) -> None:
        super().__init__("The archive's disk is almost full, so nothing can be added. Tell whoever runs it.")


@dataclass(frozen=True)
class Incoming:
    """A complete, synced file in the incoming folder; `head` is its first bytes, for sniffing."""

    path: Path
    sha256: str
    size: int
    head: bytes

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)


class Receiver:
    """Writes chunks to a `.part` file; `finish()` makes an `Incoming` of it, `abort()` nothing."""

    def __init__(self, limit: int | None = None) -> None:
        folder = incoming_folder()
        self.limit = limit
        if not _has_room(folder):
            raise StorageFull
        self.path = folder / f"{uuid.uuid4().hex}.part"
        self._file: IO[bytes] = self.path.open("xb")
        self._hash = hashlib.sha256()
        self._head = b""
        self.size = 0

    def write(self, chunk: bytes) -> None:
        before = self.size
        self.size += len(chunk)
        self._hash.update(chunk)
        if len(self._head) < HEAD:
            self._head += chunk[: HEAD - len(self._head)]
        limit = self.limit or size_limit(self._head)
        if self.size > limit:
            self.abort()
            raise TooLarge(limit)
        if self.size // LOOK_EVERY > before // LOOK_EVERY and not _has_room(self.path.parent):
            self.abort()
            raise StorageFull
        try:
            self._file.write(chunk)
        except OSError as error:
            self.abort()
            raise StorageFull from error

    def finish(self) -> Incoming:
        try:
            sync(self._file)
            self._file.close()
        except OSError as error:
            self.abort()
            raise StorageFull from error
        return Incoming(self.path, self._hash.hexdigest(), self.size, self._head)

    def abort(self) -> None:
        with suppress(OSError):  # on a full disk closing writes what is buffered, and fails again
            self._file.close()
        self.path.unlink(missing_ok=True)


def size_limit(head: bytes) -> int:
    """How many bytes a file that begins so may have."""
    limit: int = settings.SIGHTLINE_UPLOAD_LIMIT
    return max(limit, settings.SIGHTLINE_VIDEO_LIMIT) if sniff(head) in FILMS else limit


def room_left(folder: Path) -> int:
    """Bytes that may still be written there; below zero where too little is free already.

    Twice what the largest picture takes stays free, and a twentieth of the disk: what is made of pictures, and a
    database on the same disk, need room when nothing more comes in.
    """
    usage = shutil.disk_usage(folder)
    kept: int = 2 * settings.SIGHTLINE_UPLOAD_LIMIT + min(usage.total // 20, MOST_OF_A_DISK)
    return usage.free - kept


def _has_room(folder: Path) -> bool:
    return room_left(folder) >= 0


def receive(chunks: Iterable[bytes], limit: int | None = None) -> Incoming:
    receiver = Receiver(limit)
    try:
        for chunk in chunks:
            receiver.write(chunk)
    except BaseException:
        receiver.abort()
        raise
    return receiver.finish()


def receive_file(path: Path) -> Incoming:
    with path.open("rb") as file:
        return receive(iter(lambda: file.read(2**20), b""))


def incoming_folder() -> Path:
    """On the store's own file system for local files; a scratch folder where files go elsewhere."""
    storage = storages["default"]  # not default_storage: that is a proxy, of no class until its first use
    if isinstance(storage, DurableStorage):
        folder = storage.incoming
    else:
        folder = settings.SIGHTLINE_DATA / "incoming"
        folder.mkdir(parents=True, exist_ok=True)
    return folder


class IncomingFile(Upload):
    """An uploaded file that already lies hashed and synced in the incoming folder."""

    def __init__(self, incoming: Incoming, name: str, content_type: str) -> None:
        super().__init__(incoming.path.open("rb"), name, content_type, incoming.size)
        self.incoming = incoming

    def close(self) -> None:
        """Django closes every uploaded file after the answer: what was not taken in by then goes."""
        super().close()
        self.incoming.discard()


class IncomingUploadHandler(FileUploadHandler):
    """Streams uploads of people who are logged in; nobody else may fill the disk.

    A file over the limit is drained, not stored, and marked: the view answers with `TooLarge`
    (a cut connection would leave a browser without the reason).
    """

    receiver: Receiver | None = None
    refusal: Exception | None = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        user = getattr(self.request, "user", None)
        if user is None or not user.is_authenticated:
            raise StopUpload(connection_reset=True)
        self.refusal = None
        try:
            self.receiver = Receiver()
        except StorageFull as error:
            self.receiver, self.refusal = None, error

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self.receiver is None:
            return
        try:
            self.receiver.write(raw_data)
        except (TooLarge, StorageFull) as error:
            self.receiver, self.refusal = None, error

    def file_complete(self, file_size: int) -> Upload | None:
        if self.receiver is None:
            if self.refusal is not None:
                return RefusedFile(self.refusal, self.file_name or "file")
            return None
        receiver, self.receiver = self.receiver, None
        try:
            incoming = receiver.finish()
        except StorageFull as error:
            return RefusedFile(error, self.file_name or "file")
        return IncomingFile(incoming, self.file_name or "file", self.content_type or "")

    def upload_interrupted(self) -> None:
        """Called by Django, and for connections that break off by archive.middleware."""
        if self.receiver is not None:
            self.receiver.abort()


class RefusedFile(Upload):
    """Stands for an upload that was refused while it streamed; `refusal` says why."""

    def __init__(self, refusal: Exception, name: str) -> None:
        super().__init__(None, name, "", 0)
        self.refusal = refusal

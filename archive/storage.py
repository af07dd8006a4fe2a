"""Files that survive a power cut: written beside their place, synced, renamed."""

import os
import uuid
from pathlib import Path
from typing import IO, Any

from django.core.files.storage import FileSystemStorage, default_storage

ORIGINALS = "originals"


class StoreAway(OSError):
    """The media folder is not mounted on this machine: a passing state, and no asset's fault."""

    def __init__(self) -> None:
        super().__init__(
            "The media folder is not there on the machine of the worker. Mount it, or set SIGHTLINE_MEDIA_URL to the "
            "folder that all machines share. Nothing is lost; it goes on by itself."
        )


def store_is_there() -> bool:
    """Whether the media folder can be seen. Asked where there is an asset, and so a folder of originals: an empty
    mount point has none."""
    return not isinstance(default_storage, DurableStorage) or default_storage.is_there()


class DurableStorage(FileSystemStorage):
    """Django's local storage with the write order of a database.

    A name is given by content, so a name that is taken already holds these bytes, and may be
    written again. `rename` alone is not durable; the folder is synced too.
    """

    def is_there(self) -> bool:
        return os.path.isdir(Path(self.location) / ORIGINALS)

    @property
    def incoming(self) -> Path:
        """The folder for files on their way in, on the same file system so that they can be renamed."""
        folder = Path(self.location) / "incoming"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def exports(self) -> Path:
        """The folder for files that people asked for as a whole, for a day."""
        folder = Path(self.location) / "exports"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def adopt(self, source: Path, name: str) -> None:
        """Move a file of `incoming`, already synced, to its name."""
        target = Path(self.path(name))
        created = _make_folder(target.parent)
        os.replace(source, target)
        for folder in {target.parent, *created}:
            _sync_folder(folder)

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name

    def _save(self, name: str, content: Any) -> str:
        """Renditions and the like: atomic, but not synced, for they can be made again."""
        target = Path(self.path(name))
        _make_folder(target.parent)
        part = target.with_name(f".{uuid.uuid4().hex}.part")
        try:
            with part.open("wb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
            os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)
        return name


def sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _make_folder(folder: Path) -> list[Path]:
    """Create `folder`; returns the parents whose listing changed."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return [path.parent for path in missing]


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

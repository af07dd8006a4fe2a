"""The folders of the bundled services: who may enter, and paths short enough for a socket."""

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from archive.bundled.errors import FolderNotOurs, FolderNotWritable

# A socket's path fits in 107 bytes on Linux, 103 on macOS, its terminating zero aside.
LONGEST_SOCKET_PATH = 100
LONGEST_SOCKET_NAME = len("/.s.PGSQL.5432")


@dataclass(frozen=True)
class DataFolder:
    """Names inside SIGHTLINE_DATA, so that each is written once."""

    root: Path

    @property
    def lock(self) -> Path:
        return self.root / "up.lock"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def media(self) -> Path:
        return self.root / "media"

    @property
    def logs(self) -> Path:
        return self.root / "log"

    @property
    def sample_is_searchable(self) -> Path:
        """There once `manage.py demo` has brought its pictures and the first of them can be found."""
        return self.root / "sample-is-searchable"


def make_data_folder(root: Path) -> DataFolder:
    """Create what is missing. FolderNotWritable where this user may not."""
    folder = DataFolder(root.resolve())
    try:
        folder.root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder.root):
            pass
        folder.media.mkdir(exist_ok=True)
        make_private(folder.secrets, os.geteuid(), os.getegid())
        make_private(folder.logs, os.geteuid(), os.getegid())
    except OSError as error:
        raise FolderNotWritable(folder.root, error.strerror or str(error)) from error
    return folder


def make_private(folder: Path, uid: int, gid: int) -> Path:
    """A 0700 folder of this user. A folder or link somebody else put there is refused, never adopted."""
    try:
        folder.mkdir(mode=0o700, parents=True)
        if uid != os.geteuid():
            os.chown(folder, uid, gid)
    except FileExistsError:
        pass
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid:
        raise FolderNotOurs(folder, found.st_uid, uid)
    if stat.S_IMODE(found.st_mode) != 0o700:
        folder.chmod(0o700)
    return folder


def socket_folder(data: Path, service: str, *, same_user: bool) -> Path:
    """Where a socket goes: inside the data folder, or a short private place if that path is too long.

    `same_user` is false when the server runs as another user, who cannot enter this user's runtime folder.
    """
    inside = data / "run" / service
    if len(os.fsencode(inside)) + LONGEST_SOCKET_NAME <= LONGEST_SOCKET_PATH:
        return inside
    name = f"sightline-{hashlib.sha256(os.fsencode(data)).hexdigest()[:16]}-{service}"
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if same_user and runtime and len(os.fsencode(runtime)) < 40 and os.access(runtime, os.W_OK | os.X_OK):
        return Path(runtime) / name
    return Path("/tmp") / name  # noqa: S108  0700, and its owner is checked

"""As which user the servers run.

Postgres refuses root, and Valkey needs no right of root's. An ordinary user simply runs them. Root runs them
as the owner of the files that are already there; else as `nobody`, where `nobody` can reach the data folder
and the programs; else in a user namespace, where only root can reach them (below /root, say). Parent folders
are never opened up.
"""

import os
import pwd
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from archive.bundled import tether
from archive.bundled.errors import FolderNotOurs, ServersNeedAnotherUser


@dataclass(frozen=True)
class Identity:
    """`uid` and `gid` own the servers' files. `shown_as` is the user a namespace shows them as."""

    uid: int
    gid: int
    shown_as: tuple[int, int] | None = None

    def tethered(self, command: list[str], death: str) -> list[str]:
        """`command` as this user, dying by signal `death` when the present process does."""
        user: list[str] = []
        if self.shown_as:
            user = ["--namespace", f"--uid={self.shown_as[0]}", f"--gid={self.shown_as[1]}"]
        elif self.uid != os.geteuid():
            user = [f"--uid={self.uid}", f"--gid={self.gid}"]
        start = [sys.executable, "-I", "-S", tether.__file__, f"--parent={os.getpid()}", f"--signal={death}"]
        return [*start, *user, "--", *command]


def choose_identity(folder: Path, program: Path) -> Identity:
    """The identity of a server that keeps its files in `folder` and is started from `program`."""
    me = Identity(os.geteuid(), os.getegid())
    owner = _owner(folder)
    if me.uid != 0:
        if owner is not None and owner.uid != me.uid:
            raise FolderNotOurs(folder, owner.uid, me.uid)
        return me
    nobody = _nobody()
    hidden = Identity(0, 0, (nobody.uid, nobody.gid))
    candidates = [nobody, hidden]
    if owner is not None:
        candidates = [hidden] if owner.uid == 0 else [owner]
    for candidate in candidates:
        if _reaches(candidate, folder.parent, program):
            return candidate
    raise ServersNeedAnotherUser(folder, program.parent)


def _owner(folder: Path) -> Identity | None:
    try:
        found = folder.stat()
    except FileNotFoundError:
        return None
    return Identity(found.st_uid, found.st_gid)


def _nobody() -> Identity:
    """Some user without rights that the system knows by name (initdb asks for the name)."""
    try:
        user = pwd.getpwnam("nobody")
    except KeyError:
        user = next(user for user in reversed(pwd.getpwall()) if user.pw_uid != 0)
    return Identity(user.pw_uid, user.pw_gid)


def _reaches(identity: Identity, data: Path, program: Path) -> bool:
    """Tried, not computed: mount options, ACLs and seccomp filters have their say too."""
    for command in ([str(program), "--version"], ["/bin/ls", "-d", f"{data}/."]):
        try:
            subprocess.run(identity.tethered(command, "KILL"), check=True, capture_output=True, timeout=20)
        except (subprocess.SubprocessError, OSError):
            return False
    return True

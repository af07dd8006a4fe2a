"""Where a server sits: as whom it runs, from which programs, with its files and its socket where."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from archive.bundled.binaries import Programs
from archive.bundled.errors import BundledError, ServersNeedAnotherUser
from archive.bundled.folders import socket_folder
from archive.bundled.identity import Identity, choose_identity

OUTSIDE = Path("/var/lib")


@dataclass(frozen=True)
class Seat:
    identity: Identity
    programs: Programs
    folder: Path
    sockets: Path


def take_seat(data: Path, service: str, programs: Programs) -> Seat:
    """In the data folder. Where root can lend that to no other user, in /var/lib, with a link to it."""
    inside = data / service
    if inside.is_symlink():
        return _seat_outside(inside, programs)
    try:
        identity = choose_identity(inside, programs.path)
    except ServersNeedAnotherUser:
        if inside.exists() or not os.access(OUTSIDE, os.W_OK):
            raise
        name = "sightline-" + hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
        (OUTSIDE / name / service).mkdir(parents=True, exist_ok=True)
        inside.symlink_to(OUTSIDE / name / service)
        return _seat_outside(inside, programs)
    sockets = socket_folder(data, service, same_user=identity.uid == os.geteuid())
    return Seat(identity, programs, inside, sockets)


def _seat_outside(link: Path, programs: Programs) -> Seat:
    """Files, socket and a copy of the programs (41 MB), in a folder that every user may pass through."""
    place = link.readlink()
    if not place.is_dir():
        raise BundledError(
            f"{link} points to {place}, which is gone, and with it what the server kept. "
            f"Bring it back; or remove the link, to start with nothing."
        )
    copied = programs.copied_to(place)
    return Seat(choose_identity(place / "files", copied.path), copied, place / "files", place / "run")

"""What the tests of the launcher share: running it apart, as somebody else, at a free port, and what it leaves."""

import os
import pwd
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from archive.bundled import tether

CHECKOUT = Path(__file__).resolve().parents[2]

# Starts the services on a folder, says so, and stays until somebody ends it.
START = """
import os, sys, time
from pathlib import Path
from archive.bundled.errors import BundledError
from archive.bundled.services import bundled_services
try:
    with bundled_services(Path(sys.argv[1]), durable=False) as connections:
        import psycopg
        with psycopg.connect(connections.database_url) as connection:
            who = connection.execute("SELECT current_user").fetchone()[0]
        print(f"started as {os.geteuid()} with {who}", flush=True)
        if len(sys.argv) > 2:
            time.sleep(600)
except BundledError as error:
    print(f"{type(error).__name__}: {error}", flush=True)
"""


def environment(**more: str) -> dict[str, str]:
    """This process's, without the services of the test session."""
    session = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")
    kept = {name: value for name, value in os.environ.items() if name not in session}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", **more}


def ordinary_user(folder: Path) -> list[str]:
    """Words to put before a command so that it runs as no root, with `folder` its own.

    As `nobody` where that user can run this Python; else in a user namespace, in which root is nobody.
    """
    if os.geteuid() != 0:
        return []
    nobody = pwd.getpwnam("nobody")
    start = [sys.executable, "-I", "-S", tether.__file__, f"--parent={os.getpid()}"]
    start += [f"--uid={nobody.pw_uid}", f"--gid={nobody.pw_gid}"]
    try:
        subprocess.run(
            [sys.executable, "-c", "import psycopg, redis, archive.bundled.services"],
            user=nobody.pw_uid,
            group=nobody.pw_gid,
            cwd=CHECKOUT,
            env=environment(),
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return [*start, "--namespace", "--"]
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return [*start, "--"]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def processes_of(folder: Path) -> set[int]:
    """Whoever works in `folder`, or was started with it as the data folder."""
    found = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            inside = str(folder) in os.readlink(entry / "cwd")
            told = f"SIGHTLINE_DATA={folder}\0".encode() in (entry / "environ").read_bytes()
        except OSError:
            continue
        if inside or told:
            found.add(int(entry.name))
    return found


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True

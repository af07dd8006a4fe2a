"""Valkey: doorbells, cached query vectors and rate limits. Losing it loses no work."""

import signal
from pathlib import Path
from urllib.parse import quote

import redis

from archive.bundled.folders import make_private
from archive.bundled.seat import Seat
from archive.bundled.server import Server


class Valkey(Server):
    name = "Valkey"
    farewell = signal.SIGTERM

    def __init__(self, seat: Seat, password: str, *, log: Path, lock: int) -> None:
        super().__init__(seat, log, lock)
        self.socket = self.sockets / "valkey.sock"
        self.password = password

    @property
    def url(self) -> str:
        return f"unix://:{quote(self.password, safe='')}@{quote(str(self.socket))}?db=0"

    def prepare(self) -> None:
        make_private(self.folder, self.identity.uid, self.identity.gid)
        make_private(self.sockets, self.identity.uid, self.identity.gid)
        self.socket.unlink(missing_ok=True)

    def command(self) -> list[str]:
        return [str(self.programs.path), "-"]  # settings come by standard input: the password is among them

    def words(self) -> bytes:
        settings = {
            "port": "0",
            "unixsocket": _quoted(str(self.socket)),
            "unixsocketperm": "700",
            "requirepass": _quoted(self.password),
            "dir": _quoted(str(self.folder)),
            # Nothing here has to last, and people's reference pictures must not lie on a disk after they are used.
            "appendonly": "no",
            "save": '""',
            "maxmemory-policy": "noeviction",
            "logfile": '""',
        }
        return "".join(f"{name} {value}\n" for name, value in settings.items()).encode()

    def ask(self) -> None:
        with redis.Redis.from_url(self.url, socket_timeout=5) as client:
            client.ping()


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

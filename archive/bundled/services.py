"""Start the bundled services together, and know where they are."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from archive.bundled.binaries import postgres_programs, valkey_programs
from archive.bundled.connections import Connections, write_connections
from archive.bundled.folders import make_data_folder
from archive.bundled.lock import held
from archive.bundled.postgres import Postgres
from archive.bundled.postgres_setup import ROLE, SUPERUSER
from archive.bundled.seat import take_seat
from archive.bundled.secrets import get_secret
from archive.bundled.server import Server
from archive.bundled.valkey import Valkey


@dataclass(frozen=True)
class RunningServices:
    connections: Connections
    servers: tuple[Server, ...]

    def revive(self) -> list[str]:
        """Start again what has died, and return the names. Call it from the thread that started them."""
        dead = [server for server in self.servers if not server.alive()]
        for server in dead:
            server.start()
        return [server.name for server in dead]


@contextmanager
def bundled_services(
    data: Path, *, postgres: bool = True, valkey: bool = True, durable: bool = True
) -> Iterator[Connections]:
    """Start, wait until both answer, yield where they are, stop.

    DATABASE_URL and REDIS_URL in the environment win: that service is then not started.
    Raises BundledError with a sentence for the person who started it.
    """
    with running_services(data, postgres=postgres, valkey=valkey, durable=durable) as running:
        yield running.connections


@contextmanager
def running_services(
    data: Path, *, postgres: bool = True, valkey: bool = True, durable: bool = True
) -> Iterator[RunningServices]:
    """As `bundled_services`, for a launcher that also revives what dies."""
    folder = make_data_folder(data)
    outside_database = os.environ.get("DATABASE_URL", "")
    outside_redis = os.environ.get("REDIS_URL", "")
    with held(folder.lock) as lock, ExitStack() as stack:
        servers: list[Server] = []

        def start(server: Server) -> None:
            stack.callback(server.stop)
            server.start()
            servers.append(server)

        database_url = redis_url = ""
        if postgres and not outside_database:
            database = _postgres(folder.root, lock, durable=durable)
            start(database)
            database_url = database.url
        if valkey and not outside_redis:
            doorbells = _valkey(folder.root, lock)
            start(doorbells)
            redis_url = doorbells.url
        # What the environment names is not written down: a later start without it must not find it here.
        secret_key = get_secret(folder.secrets, "django-secret-key", size=48)
        write_connections(folder.root, Connections(database_url, redis_url, secret_key))
        yield RunningServices(
            Connections(outside_database or database_url, outside_redis or redis_url, secret_key),
            tuple(servers),
        )


def _postgres(data: Path, lock: int, *, durable: bool) -> Postgres:
    seat = take_seat(data, "postgres", postgres_programs())
    passwords = {name: get_secret(data / "secrets", f"postgres-{name}") for name in (SUPERUSER, ROLE)}
    return Postgres(seat, passwords, log=data / "log" / "postgres.log", lock=lock, durable=durable)


def _valkey(data: Path, lock: int) -> Valkey:
    seat = take_seat(data, "valkey", valkey_programs())
    password = get_secret(data / "secrets", "valkey")
    return Valkey(seat, password, log=data / "log" / "valkey.log", lock=lock)

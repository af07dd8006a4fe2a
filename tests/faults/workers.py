"""Real workers for drills: started with the launcher's own commands, and ended whatever happens."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit, urlunsplit

import redis
from django.conf import settings
from django.db import connection

from archive.bundled import tether
from archive.bundled.binaries import valkey_programs
from archive.bundled.processes import processes
from archive.models import Work, WorkState

ROOT = Path(__file__).parents[2]
LEASE = 3


def wait_for(true: Callable[[], bool], seconds: float, what: str) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, f"{what}: not within {seconds:g} seconds"
        time.sleep(0.05)


def test_database_url() -> str:
    """The session's server, and on it the database of the tests."""
    parts = urlsplit(settings.DATABASE_URL)
    url: str = urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}"))
    return url


class Running:
    """One process of the fleet with all its children, its output in a file."""

    def __init__(self, name: str, command: Sequence[str], environment: dict[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        tethered = [sys.executable, "-I", "-S", tether.__file__, f"--parent={os.getpid()}", "--signal=KILL", "--"]
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [*tethered, *command],
                cwd=ROOT,
                env=environment,
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def children(self) -> list[int]:
        listed = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(pid) for pid in listed.split()]

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def is_ready(self) -> bool:
        """Whether a Celery worker has said so."""
        assert self.process.poll() is None, f"{self.name} ended: {self.output()[-2000:]}"
        return " ready." in self.output()

    def end(self) -> None:
        """At once, and everything that it started with it."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait(20)


class Fleet:
    """`with Fleet(folder) as fleet: fleet.start("encode", "beat")`."""

    def __init__(self, folder: Path, *, redis_url: str = "", port: int = 1, **environment: str) -> None:
        self.folder = folder
        self.running: list[Running] = []
        self.table = {one.name: one for one in processes(host="127.0.0.1", port=port, data=folder)}
        self.environment = {
            **os.environ,
            "DATABASE_URL": test_database_url(),
            "REDIS_URL": redis_url or settings.REDIS_URL,
            "SECRET_KEY": settings.SECRET_KEY,
            "SIGHTLINE_MEDIA_URL": str(settings.MEDIA_ROOT),
            "SIGHTLINE_LEASE_SECONDS": str(LEASE),
            "SIGHTLINE_TICK_SECONDS": "1",
            "SIGHTLINE_ENCODE_BATCH": "8",
            **environment,
        }

    def __enter__(self) -> Fleet:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in self.running:
            one.end()
            print(f"---- {one.name}\n{one.output()[-4000:]}")  # shown by pytest where a test failed

    def start(self, *names: str, children: int = 2) -> list[Running]:
        """Start by name of the launcher's table; workers answer when they have said `ready`."""
        started = [self._start(name, children) for name in names]
        for one in started:
            if one.name in ("media", "encode", "queries"):
                wait_for(one.is_ready, 60, f"{one.name} starts")
        return started

    def _start(self, name: str, children: int) -> Running:
        entry = self.table[name]
        command = list(entry.command)
        if "worker" in command:
            command[command.index("-A") + 1] = "tests.faults.slow"
            command[command.index("-c") + 1] = str(children)
        number = len(self.running)
        environment = self.environment | entry.environment
        self.running.append(Running(name, command, environment, self.folder / f"{number}-{name}.log"))
        return self.running[-1]


class Doorbells:
    """A Valkey of one's own, that may be stopped in the middle of a test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "valkey.sock"
        self.url = f"unix://{self.socket}?db=0"
        self._process: Running | None = None

    def start(self) -> None:
        command = [str(valkey_programs().path), "--port", "0", "--unixsocket", str(self.socket)]
        command += ["--dir", str(self.folder), "--save", "", "--appendonly", "no"]
        self._process = Running("valkey", command, dict(os.environ), self.folder / "valkey.log")
        wait_for(self._answers, 20, "valkey starts")

    def stop(self) -> None:
        if self._process is not None:
            self._process.end()
            self._process = None
        self.socket.unlink(missing_ok=True)

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def holders() -> list[int]:
    """The processes that hold work right now."""
    held = Work.objects.filter(state=WorkState.RUNNING).exclude(worker="").values_list("worker", flat=True)
    return sorted({int(worker.rsplit(":", 1)[1]) for worker in held})


def kill_a_holder(seconds: float = 20) -> int:
    """kill -9 of a pool's child at a random moment while it holds work; returns its process id."""
    wait_for(lambda: bool(holders()), seconds, "somebody works")
    time.sleep(random.uniform(0, 0.4))
    wait_for(lambda: bool(holders()), seconds, "somebody works")
    victim = random.choice(holders())
    try:
        os.kill(victim, signal.SIGKILL)
    except ProcessLookupError:
        return 0  # killed before: its lease still runs
    return victim

"""A bundled server as a child process: started, awaited until it really answers, stopped, revived."""

import signal
import subprocess
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path

from archive.bundled.errors import ServiceFailed
from archive.bundled.seat import Seat

LOG_LIMIT = 10_000_000


class Server(ABC):
    """Start it from a thread that lives as long as this process: the tether is bound to that thread."""

    name: str
    farewell: signal.Signals  # asks for an orderly end; also what the server gets when this process is killed
    patience = 60.0  # seconds to answer after a start: a database that recovers from a crash needs some

    def __init__(self, seat: Seat, log: Path, lock: int) -> None:
        self.identity = seat.identity
        self.programs = seat.programs
        self.folder = seat.folder
        self.sockets = seat.sockets
        self.log = log
        self.lock = lock
        self.process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]: ...

    @abstractmethod
    def ask(self) -> None:
        """Ask something trivial. Any exception means: not ready."""

    def words(self) -> bytes:
        """What the server reads on its standard input."""
        return b""

    @abstractmethod
    def prepare(self) -> None:
        """Make folders and remove what a killed predecessor left."""

    def start(self) -> None:
        self.prepare()
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".old.log"))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.identity.tethered(self.command(), self.farewell.name.removeprefix("SIG")),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in the terminal is for the launcher, which stops us in order
                pass_fds=(self.lock,),
            )
        assert self.process.stdin is not None
        with self.process.stdin as pipe:
            pipe.write(self.words())
        self._wait_until_ready()

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """In order first; the harsher ways follow when it takes too long."""
        if self.process is None:
            return
        for farewell, patience in ((self.farewell, 15.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            if not self.alive():
                break
            self.process.send_signal(farewell)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                continue
        self.process = None
        with suppress(OSError):
            self.sockets.rmdir()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self.patience
        while True:
            if not self.alive():
                raise ServiceFailed(self.name, "ended while it started", self._last_words())
            try:
                return self.ask()
            except Exception as error:
                if time.monotonic() > deadline:
                    self.stop()
                    problem = f"did not answer within {self.patience:.0f} seconds ({error})"
                    raise ServiceFailed(self.name, problem, self._last_words()) from error
            time.sleep(0.02)

    def _last_words(self) -> str:
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-12:])

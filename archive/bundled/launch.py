"""From nothing to the `ready` line: services, preparation, processes, and an eye on all of them."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.ioloop import PeriodicCallback

from archive.bundled.errors import BundledError
from archive.bundled.folders import DataFolder
from archive.bundled.processes import EVERYWHERE, Process, manage, processes
from archive.bundled.services import RunningServices
from archive.bundled.supervisor import Deaths, Supervisor, kept
from archive.bundled.terminal import say

ANSWER_PATIENCE = 5.0  # seconds for one look at the health page
READING_PATIENCE = 30.0  # then `ready` does not wait any longer for the model that reads words
SAMPLE_PATIENCE = 180.0  # then `ready` does not wait any longer for the sample


class PreparationFailed(BundledError):
    def __init__(self) -> None:
        super().__init__("Sightline could not be prepared; the lines above say why.")


def prepare(console: Console) -> None:
    """Migrations and the like, in a process of their own: its settings know where the services are."""
    with subprocess.Popen(
        kept(manage("prepare", "--log-in")),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={"LOG_LEVEL": "WARNING", **os.environ},
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                say(console, "prepare", line.rstrip())
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        raise PreparationFailed


def run(
    running: RunningServices,
    *,
    host: str,
    port: int,
    data: Path,
    demo: bool,
    console: Console,
    announce: Callable[[str], None],
) -> None:
    """Run everything until it is told to stop. `announce` gets the URL once a first search works."""
    table = processes(host=host, port=port, data=data)
    if demo:
        table += (Process("demo", manage("demo"), lasting=False),)
    supervisor = Supervisor(table, console)
    watch = Watch(running, supervisor, _url(host, port), data if demo else None, announce)
    eye = PeriodicCallback(watch.look, 500)
    supervisor.loop.add_callback(eye.start)
    supervisor.run()


class Watch:
    """Looks twice a second: are the servers alive, and is it time to say `ready`?"""

    def __init__(
        self,
        running: RunningServices,
        supervisor: Supervisor,
        url: str,
        sample: Path | None,
        announce: Callable[[str], None],
    ) -> None:
        self.running = running
        self.supervisor = supervisor
        self.url = url
        self.sample = sample  # the data folder whose sample `ready` waits for
        self.announce = announce
        self.announced = False
        self.answers_since: float | None = None  # the web process does; words are not read yet
        self.began = time.monotonic()
        self.deaths = Deaths()
        self.next_revival = 0.0

    async def look(self) -> None:
        self._revive()
        if self.announced or not self._sample_arrived():
            return
        health = await self._ask_health()
        if health is not None and self._reads_words(health):
            self.announced = True
            self.announce(self.url)

    def _revive(self) -> None:
        """In this thread on purpose: a server is tethered to the thread that started it."""
        if time.monotonic() < self.next_revival:
            return
        try:
            revived = self.running.revive()
            line = f"{' and '.join(revived)} had died; started again"
        except BundledError as error:
            revived, line = ["none"], str(error)
        if revived:
            self.next_revival = time.monotonic() + self.deaths.pause()
            self.deaths.start()
            say(self.supervisor.console, "servers", line, "red", "red")

    def _sample_arrived(self) -> bool:
        return (
            self.sample is None
            or DataFolder(self.sample).sample_is_searchable.exists()
            or "demo" in self.supervisor.ended
            or time.monotonic() - self.began > SAMPLE_PATIENCE
        )

    def _reads_words(self, health: dict[str, Any]) -> bool:
        """The queries worker loads its model by itself; who searches at `ready` is not to wait for that."""
        if health.get("queries"):
            return True
        if self.answers_since is None:
            self.answers_since = time.monotonic()
        if time.monotonic() - self.answers_since < READING_PATIENCE:
            return False
        line = "the queries worker has no model loaded yet: the first search by words may wait, or say why not"
        say(self.supervisor.console, "up", line, "yellow")
        return True

    async def _ask_health(self) -> dict[str, Any] | None:
        """What the health page says, where all is well."""
        request = HTTPRequest(f"{self.url}healthz", connect_timeout=2, request_timeout=ANSWER_PATIENCE)
        try:
            answer = await AsyncHTTPClient().fetch(request, raise_error=False)
        except (OSError, HTTPClientError):  # a time-out is raised in spite of raise_error
            return None
        if answer.code != 200:
            return None
        health: dict[str, Any] = json.loads(answer.body)
        return health


def _url(host: str, port: int) -> str:
    name = EVERYWHERE.get(host) or (f"[{host}]" if ":" in host else host)
    return f"http://{name}:{port}/"

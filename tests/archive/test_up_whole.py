"""The whole of `manage.py up`: ready, in use, killed in part or at once, and stopped."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.archive.bundled_processes import CHECKOUT, environment, eventually, free_port, processes_of


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A temporary folder that other users may pass through, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="sightline-up-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


class Up:
    """`manage.py up` on a folder of its own."""

    def __init__(self, folder: Path, *arguments: str, **variables: str) -> None:
        self.data = folder / "var"
        self.log = Path(tempfile.mkstemp(dir=folder, prefix="log-")[1])
        self.port = free_port()
        command = [sys.executable, "manage.py", "up", "--port", str(self.port), *arguments]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command,
                cwd=CHECKOUT,
                env=environment(SIGHTLINE_DATA=str(self.data), **variables),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def wait_until_ready(self) -> str:
        """The lines up to `ready`; without it, fail with the log."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("ready "):
                return line.strip()
        raise AssertionError(self.log.read_text())

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


def test_up_names_the_reason_when_the_database_cannot_be_used(open_folder: Path) -> None:
    up = Up(
        open_folder,
        DATABASE_URL="postgres://sightline@/sightline?host=/nonexistent",
        REDIS_URL="redis://none",
    )
    _, _ = up.process.communicate(timeout=30)
    assert up.process.returncode == 1
    assert "/nonexistent" in up.log.read_text()
    assert "could not be prepared" in up.log.read_text()
    assert not (up.data / "postgres").exists()


def test_up_gets_ready_answers_and_stops_in_order(open_folder: Path) -> None:
    up = Up(open_folder)
    try:
        assert up.wait_until_ready() == f"ready {up.url}"
        assert up.process.stdout is not None
        assert re.match(r"log in as alice with the password \S{16}", up.process.stdout.readline())
        assert answers(up.port)
        assert reads_words(up.port)

        second = Up(open_folder)
        _, _ = second.process.communicate(timeout=30)
        assert second.process.returncode != 0
        assert "already runs on" in second.log.read_text()

        began = time.monotonic()
        up.process.send_signal(signal.SIGINT)
        assert up.process.wait(30) == 0, up.log.read_text()
        assert time.monotonic() - began < 30
        assert eventually(lambda: not processes_of(up.data), 2)
    finally:
        up.end()


@pytest.mark.slow
def test_up_survives_the_death_of_each_of_its_processes(open_folder: Path) -> None:
    up = Up(open_folder)
    try:
        up.wait_until_ready()
        before = processes_of(up.data) - {up.process.pid}
        time.sleep(3)
        for pid in before:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        assert eventually(lambda: answers(up.port), 60), up.log.read_text()
        assert len(processes_of(up.data)) >= len(before) // 2
    finally:
        up.end()
    assert eventually(lambda: not processes_of(up.data), 5)


@pytest.mark.slow
def test_kill_9_of_up_leaves_nothing_running(open_folder: Path) -> None:
    up = Up(open_folder)
    try:
        up.wait_until_ready()
        assert len(processes_of(up.data)) > 15
    finally:
        up.end()
    assert eventually(lambda: not processes_of(up.data), 5), processes_of(up.data)


def answers(port: int) -> bool:
    return health(port) is not None


def reads_words(port: int) -> bool:
    return bool((health(port) or {})["queries"])


def health(port: int) -> dict[str, Any] | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        return json.loads(answer.read()) if answer.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()

"""`manage.py up` over its processes: ready is said in time, and what dies is started again, or all of it stopped."""

import asyncio
import io
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console

from archive.bundled import launch
from archive.bundled.supervisor import LONGEST_PAUSE, REFUSED_PAUSE, Deaths, Supervisor, kept
from archive.bundled.terminal import Lines
from tests.archive.bundled_processes import CHECKOUT, environment, eventually, processes_of

# Three processes under the supervisor: one with a child, one that dies at once, one that runs once.
SUPERVISE = """
import sys
from rich.console import Console
from archive.bundled.processes import Process
from archive.bundled.supervisor import Supervisor
supervisor = Supervisor(
    (
        Process("family", ("/bin/sh", "-c", "echo born; sleep 500 & sleep 500")),
        Process("sick", ("/bin/sh", "-c", "echo attempt; exit 3")),
        Process("once", ("/bin/sh", "-c", "echo only once; exit 4"), lasting=False),
    ),
    Console(stderr=True),
)
supervisor.run()
print("ended", supervisor.ended)
"""


def test_a_web_process_that_is_slow_to_start_is_asked_again_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(launch, "ANSWER_PATIENCE", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        watch = launch.Watch.__new__(launch.Watch)
        watch.url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        assert asyncio.run(watch._ask_health()) is None


def test_ready_is_said_when_words_are_read_or_after_a_while_with_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first search by words is not to wait for a model; but a model that never loads keeps nobody out."""
    announced: list[str] = []
    written = io.StringIO()
    watch = launch.Watch.__new__(launch.Watch)
    watch.url, watch.sample, watch.announce = "http://here/", None, announced.append
    watch.supervisor = cast(Supervisor, SimpleNamespace(console=Console(file=written)))
    health: dict[str, Any] | None = None

    async def told() -> dict[str, Any] | None:
        return health

    monkeypatch.setattr(watch, "_revive", lambda: None)
    monkeypatch.setattr(watch, "_ask_health", told)

    def look() -> list[str]:
        asyncio.run(watch.look())
        return announced

    watch.announced, watch.answers_since = False, None
    assert look() == []  # no web process yet
    health = {"ok": True, "queries": False}
    assert look() == []
    health = {"ok": True, "queries": True}
    assert look() == ["http://here/"]
    assert look() == ["http://here/"]
    assert not written.getvalue()

    announced.clear()
    watch.announced, watch.answers_since = False, None
    health = {"ok": True, "queries": False}
    assert look() == []
    monkeypatch.setattr(launch, "READING_PATIENCE", 0.0)
    assert look() == ["http://here/"]
    assert "first search by words may wait" in written.getvalue()


def test_quick_deaths_slow_the_restarts_down_and_a_long_life_forgives() -> None:
    now = 0.0
    deaths = Deaths(clock=lambda: now)
    pauses = []
    for _ in range(8):
        deaths.start()
        now += 1
        pauses.append(deaths.pause())
    assert pauses == [1, 2, 4, 8, 16, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]
    assert deaths.words(1, LONGEST_PAUSE)[0].startswith("DIED 8 TIMES IN A ROW")
    deaths.start()
    now += 60
    assert deaths.pause() == 0


def test_who_says_that_it_cannot_work_here_is_not_started_again_and_again() -> None:
    """EX_CONFIG, as an encode worker ends whose models are not those of the archive: it takes long to find that out."""
    now = 0.0
    deaths = Deaths(clock=lambda: now)
    for _ in range(3):
        deaths.start()
        now += 2
        assert deaths.pause(os.EX_CONFIG) == REFUSED_PAUSE
    assert deaths.words(os.EX_CONFIG, REFUSED_PAUSE)[0] == (
        "CANNOT WORK ON THIS MACHINE, its own lines above say why; next try in 120 s"
    )
    deaths.start()
    now += 2
    assert deaths.pause(1) == 1  # another death is one


def test_output_cut_anywhere_comes_out_in_lines_with_its_name() -> None:
    console = Console(width=80, record=True, file=io.StringIO())
    lines = Lines(console, "web", "cyan")
    for piece in (b"one\ntw", b"o [bold]not markup[/]\n\x1b[31mth", b"ree\x1b]0;title\x07"):
        lines({"data": piece})
    lines.close()
    assert console.export_text().splitlines() == [
        "     web │ one",
        "     web │ two [bold]not markup[/]",
        "     web │ three]0;title",
    ]


def supervise(log: Path) -> subprocess.Popen[str]:
    with log.open("w") as file:
        return subprocess.Popen(
            [sys.executable, "-c", SUPERVISE],
            cwd=CHECKOUT,
            env=environment(SIGHTLINE_DATA=str(log.parent)),
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
        )


def test_the_supervisor_restarts_what_should_last_and_stops_everything_when_told(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with supervise(log) as supervisor:
        assert eventually(lambda: log.read_text().count("attempt") == 3 and "born" in log.read_text(), 20)
        supervisor.send_signal(signal.SIGTERM)
        out, _ = supervisor.communicate(timeout=25)
    assert supervisor.returncode == 0
    assert out == "ended {'once': 4}\n"
    assert log.read_text().count("only once") == 1
    assert "sick │ ended with status 3, starts again in 1 s" in log.read_text()
    assert not processes_of(tmp_path)


def test_kill_9_of_the_supervisor_takes_grandchildren_with_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with supervise(log) as supervisor:
        assert eventually(lambda: "born" in log.read_text(), 20)
        assert len(processes_of(tmp_path)) >= 4
        supervisor.kill()
    assert eventually(lambda: not processes_of(tmp_path), 5)


def test_a_command_that_ends_takes_what_it_left_behind_with_it(tmp_path: Path) -> None:
    command = kept(["/bin/sh", "-c", "setsid sleep 300 & sleep 300 & exit 7"])
    done = subprocess.run(command, env=environment(SIGHTLINE_DATA=str(tmp_path)), check=False, timeout=20)
    assert done.returncode == 7
    assert not processes_of(tmp_path)

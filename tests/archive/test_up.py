"""`manage.py up`: its processes, what happens when one dies, and what it refuses."""

import asyncio
import http.client
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from rich.console import Console

from archive import checks, static_files
from archive.bundled import gpus, launch
from archive.bundled import processes as processes_module
from archive.bundled.errors import BundledError
from archive.bundled.port import AddressUnusable, check_address
from archive.bundled.processes import processes
from archive.bundled.supervisor import LONGEST_PAUSE, REFUSED_PAUSE, Deaths, Supervisor, kept
from archive.bundled.terminal import Lines
from archive.models import Collection
from archive.models.collections import CONTRIBUTING
from archive.people import make_first_log_in
from archive.sample import Shown, get_sample_collection
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


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A temporary folder that other users may pass through, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="sightline-up-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


# ---- the table ---------------------------------------------------------------------------------


def test_each_queue_has_a_worker_and_queries_wait_behind_nothing_else(tmp_path: Path) -> None:
    table = {process.name: process for process in processes(host="127.0.0.1", port=8000, data=tmp_path)}
    assert set(table) == {"web", "media", "encode", "queries", "beat"}
    for queue in ("media", "encode", "queries"):
        command = table[queue].command
        assert command[command.index("-Q") + 1] == queue
    assert table["encode"].environment["OMP_NUM_THREADS"] == "1"


def test_the_number_of_encoding_processes_can_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTLINE_ENCODE_PROCESSES", "3")
    table = {process.name: process for process in processes(host="127.0.0.1", port=8000, data=tmp_path)}
    command = table["encode"].command
    assert command[command.index("-c") + 1] == "3"


@pytest.mark.parametrize(
    ("devices", "environment", "count"),
    [
        (["nvidia0", "nvidia1", "nvidia2", "nvidiactl", "nvidia-uvm"], {}, 3),
        (["nvidia0", "nvidia1"], {"SIGHTLINE_DEVICE": "cuda"}, 2),
        (["nvidia0", "nvidia1"], {"SIGHTLINE_DEVICE": "cuda:1"}, 1),
        (["nvidia0", "nvidia1"], {"SIGHTLINE_DEVICE": "cpu"}, 0),
        (["nvidia0", "nvidia1"], {"CUDA_VISIBLE_DEVICES": "1"}, 1),
        (["nvidia0", "nvidia1"], {"CUDA_VISIBLE_DEVICES": "0,-1,1"}, 1),
        (["nvidia0", "nvidia1"], {"CUDA_VISIBLE_DEVICES": ""}, 0),
        ([], {"CUDA_VISIBLE_DEVICES": "0"}, 0),
        (["nvidiactl"], {}, 0),
    ],
)
def test_gpus_are_counted_without_torch(
    devices: list[str], environment: dict[str, str], count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in devices:
        (tmp_path / name).touch()
    monkeypatch.setattr(gpus, "DEVICES", tmp_path)
    assert gpus.count_gpus(environment) == count


def test_a_torch_without_cuda_has_no_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nvidia0").touch()
    monkeypatch.setattr(gpus, "DEVICES", tmp_path)
    monkeypatch.setattr(gpus, "version", lambda package: "2.14.1+cpu")
    assert gpus.count_gpus({}) == 0


@pytest.mark.parametrize(("found", "said", "children"), [(2, None, 2), (2, "5", 5), (0, None, None)])
def test_as_many_processes_encode_as_there_are_gpus(
    found: int, said: str | None, children: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes_module, "count_gpus", lambda: found)
    monkeypatch.delenv("SIGHTLINE_ENCODE_PROCESSES", raising=False)
    if said is not None:
        monkeypatch.setenv("SIGHTLINE_ENCODE_PROCESSES", said)
    table = {process.name: process for process in processes(host="127.0.0.1", port=8000, data=tmp_path)}
    command = table["encode"].command
    assert command[command.index("-c") + 1] == str(children or min(os.cpu_count() or 1, 4))


# ---- addresses ---------------------------------------------------------------------------------


def test_a_taken_port_is_refused_with_advice() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(AddressUnusable, match=f"127.0.0.1:{port}: another program.*--port"):
            check_address("127.0.0.1", port)
    check_address("127.0.0.1", port)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(AddressUnusable, match="--host"):
        check_address("192.0.2.1", 8000)


@pytest.mark.parametrize("port", [0, -1, 65536, 99999])
def test_a_port_that_does_not_exist_is_refused(port: int) -> None:
    with pytest.raises(AddressUnusable, match=r"no such port.*from 1 to 65535"):
        check_address("127.0.0.1", port)


def test_a_number_of_processes_that_is_none_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTLINE_MEDIA_PROCESSES", "many")
    with pytest.raises(BundledError, match="SIGHTLINE_MEDIA_PROCESSES is 'many'"):
        processes(host="127.0.0.1", port=8000, data=tmp_path)


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


# ---- what dies is started again ----------------------------------------------------------------


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


# ---- what is prepared ---------------------------------------------------------------------------


def test_static_files_are_collected_again_only_when_one_has_changed(tmp_path: Path, settings: Any) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/page.css").write_text("body { color: teal }")
    settings.STATICFILES_DIRS = [tmp_path / "source"]
    settings.STATIC_ROOT = tmp_path / "collected"
    assert static_files.collect_if_changed()
    assert not static_files.collect_if_changed()
    (tmp_path / "source/page.css").write_text("body { color: rebeccapurple }")
    os.utime(tmp_path / "source/page.css", (time.time() + 5, time.time() + 5))  # seconds are what Django compares
    assert static_files.collect_if_changed()
    assert "rebeccapurple" in (tmp_path / "collected/page.css").read_text()


@pytest.mark.django_db
def test_the_first_log_in_is_made_once_and_its_note_goes_when_the_password_changes() -> None:
    note = Path(settings.SIGHTLINE_DATA) / "secrets/log-in-alice"
    make_first_log_in()
    make_first_log_in()
    alice = User.objects.get()
    assert alice.is_superuser
    assert alice.check_password(note.read_text().strip())
    alice.set_password("another one, her own")
    alice.save()
    make_first_log_in()
    assert not note.exists()
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_nobody_is_let_into_an_archive_that_has_people() -> None:
    User.objects.create_user("carol")
    make_first_log_in()
    assert not User.objects.filter(is_superuser=True).exists()


@pytest.mark.django_db
def test_everybody_may_look_at_the_sample_and_bob_may_add_to_it() -> None:
    collection = get_sample_collection("city-nights", Shown.DRAWN)
    assert get_sample_collection("city-nights", Shown.DRAWN) == collection
    assert collection.name == "City nights (drawn)"
    may_add = [user.username for user in User.objects.order_by("username") if collection in open_to(user)]
    assert may_add == ["alice", "bob"]
    assert collection in Collection.objects.visible_to(User.objects.get(username="visitor"))


def open_to(user: User) -> models.QuerySet[Collection]:
    return Collection.objects.open_to(user, CONTRIBUTING)


# ---- the whole of it ---------------------------------------------------------------------------


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


@pytest.mark.django_db
def test_a_pgvector_that_can_corrupt_an_index_is_refused_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert checks.pgvector_is_recent() == []
    monkeypatch.setattr(checks, "PGVECTOR_AT_LEAST", (99, 0))
    (refusal,) = checks.pgvector_is_recent()
    assert "too old" in refusal.msg
    assert "ALTER EXTENSION vector UPDATE" in str(refusal.hint)


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

"""The decoder's process: it dies, hangs and is taken over, and the archive goes on."""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from archive.decoder.answer import read_answer
from archive.decoder.refusals import DecoderCrashed, DecoderTimedOut, StoreFailed, Undecodable
from archive.decoder.sandbox import ROOT, Sandbox, child_environment
from archive.decoder.specs import THUMBNAIL
from archive.decoder.wire import Garbled
from tests import pictures

ANSWER = {
    "taken_at": "2024-05-01T12:30:45",
    "taken_offset": "+02:00",
    "latitude": 52.0,
    "longitude": 4.0,
    "camera": "A",
    "title": "",
    "caption": "",
    "duration": None,
    "keywords": [],
    "exif": {"Make": "A"},
    "media_type": "image/png",
    "width": 4,
    "height": 3,
    "notes": [],
}
SIZES = {"thumbnail": {"width": 4, "height": 3, "media_type": "image/webp"}}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


def pid_of(sandbox: Sandbox) -> int:
    assert sandbox.pid is not None
    return sandbox.pid


def open_to_all(path: Path) -> None:
    """So that only the confinement is in the way, and not the rights of the file."""
    os.chmod(path, 0o777)  # noqa: S103


def confined(code: str) -> tuple[list[str], str]:
    """What held, and what `code` printed after this process had been confined."""
    script = (
        "import os, socket, sys, json, signal, resource\n"
        "out = os.fdopen(os.dup(1), 'w')\n"
        "from archive.decoder.confinement import confine, grant_cpu\n"
        "out.write(json.dumps(confine()) + '\\n')\n"
        "try:\n" + "".join(f"    {line}\n" for line in code.splitlines()) + "    out.write('done')\n"
        "except Exception as problem: out.write(type(problem).__name__)\n"
        "out.flush()\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        capture_output=True,
        text=True,
        env=child_environment(),
        timeout=60,
        check=False,
    )
    held, _, said = done.stdout.partition("\n")
    return (json.loads(held) if held else []), said or f"exit {done.returncode}"


def test_a_picture_may_be_a_path_a_stream_or_bytes(sandbox: Sandbox, tmp_path: Path) -> None:
    data = pictures.jpeg()
    path = tmp_path / "a picture.txt"
    path.write_bytes(data)
    stream = BytesIO(data)
    stream.seek(100)
    for source in (path, stream, data):
        assert sandbox.decode(source).format == "JPEG"
    with path.open("rb") as file:
        file.read(10)
        assert sandbox.decode(file).format == "JPEG"
        assert file.tell() == 10
    with pytest.raises(FileNotFoundError):
        sandbox.decode(tmp_path / "missing.jpg")


def test_the_child_stays_warm_and_is_replaced_in_time() -> None:
    with Sandbox(jobs_per_child=2) as sandbox:
        seen = []
        for _ in range(4):
            sandbox.decode(pictures.jpeg(), specs=[])
            seen.append(sandbox.pid)
    assert seen[0] == seen[1] != seen[2] == seen[3]


def test_refusals_leave_the_child_as_it_is(sandbox: Sandbox) -> None:
    with pytest.raises(Undecodable):
        sandbox.decode(b"nothing")
    child = sandbox.pid
    for _ in range(3):
        with pytest.raises(Undecodable):
            sandbox.decode(pictures.cut(pictures.jpeg()))
    sandbox.decode(pictures.jpeg())
    assert sandbox.pid == child


def test_a_child_killed_in_the_middle_is_a_crash_and_the_next_picture_works(sandbox: Sandbox) -> None:
    sandbox.decode(pictures.jpeg())
    child = pid_of(sandbox)
    os.kill(child, signal.SIGSTOP)
    killer = threading.Timer(0.3, os.kill, (child, signal.SIGKILL))
    killer.start()
    with pytest.raises(DecoderCrashed) as crash:
        sandbox.decode(pictures.jpeg())
    killer.join()
    assert crash.value.signal == signal.SIGKILL
    assert not crash.value.permanent
    assert sandbox.decode(pictures.jpeg()).format == "JPEG"


def test_a_child_that_died_between_two_pictures_is_not_noticed(sandbox: Sandbox) -> None:
    sandbox.decode(pictures.jpeg())
    os.kill(pid_of(sandbox), signal.SIGKILL)
    time.sleep(0.1)
    assert sandbox.decode(pictures.jpeg()).format == "JPEG"


def test_an_endless_job_is_stopped_at_its_deadline_and_the_next_picture_works(sandbox: Sandbox) -> None:
    sandbox.decode(pictures.jpeg())
    child = pid_of(sandbox)
    os.kill(child, signal.SIGSTOP)
    begun = time.monotonic()
    with pytest.raises(DecoderTimedOut) as late:
        sandbox.decode(pictures.jpeg(), deadline=0.4)
    assert 0.4 <= time.monotonic() - begun < 5
    assert late.value.seconds == 0.4
    assert not Path(f"/proc/{child}").exists()
    assert sandbox.decode(pictures.jpeg()).format == "JPEG"


def test_a_child_outlives_the_thread_that_started_it_or_is_replaced(sandbox: Sandbox) -> None:
    starter = threading.Thread(target=sandbox.decode, args=(pictures.jpeg(),))
    starter.start()
    starter.join()
    for _ in range(3):
        assert sandbox.decode(pictures.jpeg()).format == "JPEG"


def test_several_threads_may_share_one(sandbox: Sandbox) -> None:
    sandbox.decode(pictures.jpeg(), specs=[])
    sizes = [(40 + number, 30) for number in range(12)]
    seen: dict[tuple[int, int], tuple[int, int]] = {}

    def decode(size: tuple[int, int]) -> None:
        decoded = sandbox.decode(pictures.png(pictures.reference(size)), specs=[])
        seen[size] = (decoded.width, decoded.height)

    threads = [threading.Thread(target=decode, args=(size,)) for size in sizes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {size: size for size in sizes}


def test_a_forked_process_gets_a_child_of_its_own(sandbox: Sandbox) -> None:
    sandbox.decode(pictures.jpeg(), specs=[])
    child = sandbox.pid
    forked = os.fork()
    if forked == 0:
        status = 1
        try:
            sandbox.decode(pictures.jpeg(), specs=[])
            status = 0 if sandbox.pid != child else 2
            sandbox.close()
        finally:
            os._exit(status)
    _, status = os.waitpid(forked, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    sandbox.decode(pictures.jpeg(), specs=[])
    assert sandbox.pid == child


def test_closing_leaves_neither_processes_nor_descriptors() -> None:
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with Sandbox() as sandbox:
            sandbox.decode(pictures.jpeg(), specs=[])
            child = pid_of(sandbox)
        assert not Path(f"/proc/{child}").exists()
        assert sandbox.pid is None
    assert len(os.listdir("/proc/self/fd")) == before


def test_the_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time\nfrom archive.decoder.sandbox import Sandbox\nfrom tests import pictures\n"
        "box = Sandbox(); box.decode(pictures.jpeg(), specs=[]); print(box.pid, flush=True); time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        child = int(parent.stdout.readline())
        assert Path(f"/proc/{child}").exists()
        parent.kill()
        parent.wait()
    until = time.monotonic() + 5
    while _alive(child) and time.monotonic() < until:
        time.sleep(0.02)
    assert not _alive(child)


def test_a_child_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("archive.decoder.sandbox.ROOT", tmp_path)
    with Sandbox() as sandbox, pytest.raises(DecoderCrashed, match=r"could not start: .*archive"):
        sandbox.decode(pictures.jpeg())


def test_the_child_knows_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://alice:secret@localhost/sightline")
    monkeypatch.setenv("SECRET_KEY", "secret")
    assert "secret" not in str(child_environment())


def test_the_child_loads_neither_django_nor_torch() -> None:
    heavy = {"django", "torch", "celery", "numpy"}
    script = f"import sys, archive.decoder.child; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        capture_output=True,
        text=True,
        env=child_environment(),
        check=True,
    )
    assert done.stdout.strip() == "[]"


# What a taken-over child could do


def test_nothing_can_be_written(tmp_path: Path) -> None:
    open_to_all(tmp_path)
    target = tmp_path / "written"
    target.touch()
    open_to_all(target)
    held, said = confined(f"with open({str(target)!r}, 'wb', buffering=0) as file: file.write(b'x')")
    assert "limits" in held
    assert said in {"PermissionError", "OSError"}
    assert target.read_bytes() == b""


def test_where_files_are_shut_off_none_can_be_read_or_made(tmp_path: Path) -> None:
    open_to_all(tmp_path)
    for code in ("open('/etc/hostname')", f"os.mkdir({str(tmp_path / 'made')!r})", "os.listdir('/')"):
        held, said = confined(code)
        assert said == ("PermissionError" if "no files" in held else said)
    assert "no files" not in held or not list(tmp_path.iterdir())


def test_where_the_network_is_shut_off_nobody_can_be_called() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        held, said = confined(f"socket.socket().connect({server.getsockname()!r})")
    assert said == "done" if "no network" not in held else said in {"OSError", "PermissionError"}


def test_the_child_takes_its_own_rights_away(sandbox: Sandbox) -> None:
    sandbox.decode(pictures.jpeg(), specs=[])
    linux = {"nobody", "no new rights", "dies with its parent"} if sys.platform == "linux" else set()
    assert {"limits", *linux} <= set(sandbox.confined)


def test_memory_is_limited() -> None:
    assert confined("bytearray(2 * 1024 ** 3)")[1] == "MemoryError"
    assert confined("bytearray(200 * 1024 ** 2)")[1] == "done"


def test_computing_time_is_limited() -> None:
    _, said = confined("grant_cpu(0)\nwhile True: pass")
    assert said == f"exit {-signal.SIGXCPU}"


def test_few_files_can_be_open_at_once() -> None:
    assert confined("[os.dup(0) for _ in range(20)]")[1] == "OSError"


def answer(**changes: object) -> tuple[dict[str, object], list[bytes]]:
    message = {"decoded": ANSWER, "renditions": SIZES} | changes
    return message, [pictures.webp(pictures.reference((4, 3)))]


def test_a_good_answer_is_believed() -> None:
    decoded = read_answer(*answer(), [THUMBNAIL])
    assert (decoded.format, decoded.camera, decoded.exif) == ("PNG", "A", {"Make": "A"})


@pytest.mark.parametrize(
    "changed",
    [
        {"media_type": "text/html"},
        {"width": -1},
        {"height": "4"},
        {"latitude": 91.0},
        {"longitude": float("nan")},
        {"taken_at": "yesterday"},
        {"taken_at": "2024-05-01T12:30:45+02:00"},
        {"taken_offset": "+2:x"},
        {"exif": ["Make"]},
        {"title": None},
    ],
)
def test_an_answer_that_cannot_be_is_not_believed(changed: dict[str, object]) -> None:
    with pytest.raises(Garbled):
        read_answer(*answer(decoded=ANSWER | changed), [THUMBNAIL])


def test_a_page_is_never_taken_for_a_rendition() -> None:
    with pytest.raises(Garbled):
        read_answer(answer()[0], [b"<html><script>alert(1)</script>"], [THUMBNAIL])
    with pytest.raises(Garbled):
        read_answer(answer()[0], [pictures.jpeg()], [THUMBNAIL])
    with pytest.raises(Garbled):
        read_answer(answer(renditions={})[0], [], [THUMBNAIL])


def test_what_passes_is_told_from_what_stays() -> None:
    with pytest.raises(DecoderTimedOut, match="90 seconds"):
        read_answer({"late": 90.0}, [], [THUMBNAIL])
    with pytest.raises(StoreFailed, match="Input/output error"):
        read_answer({"unreadable": "Input/output error"}, [], [THUMBNAIL])
    with pytest.raises(Garbled):
        read_answer({"late": "soon"}, [], [THUMBNAIL])


def test_texts_of_the_child_are_cleaned_again() -> None:
    dirty = ANSWER | {
        "title": "a\0b",
        "exif": {"Ma\0ke": "x\0y", "Blob": {"deep": [1]}, "Number": float("inf")},
    }
    decoded = read_answer(*answer(decoded=dirty), [THUMBNAIL])
    assert decoded.title == "ab"
    assert decoded.exif == {"Make": "xy"}


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False

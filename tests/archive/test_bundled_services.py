"""The bundled Postgres and Valkey: who can reach them, what stops them, what survives."""

import hashlib
import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from archive.bundled import identity, seat
from archive.bundled.binaries import postgres_programs
from archive.bundled.connections import Connections, read_connections
from archive.bundled.errors import (
    AlreadyRunning,
    BundledError,
    FolderNotOurs,
    FolderNotWritable,
    ServersNeedAnotherUser,
    ServiceFailed,
)
from archive.bundled.services import RunningServices, bundled_services, running_services
from tests.archive.bundled_processes import (
    CHECKOUT,
    START,
    environment,
    eventually,
    ordinary_user,
    processes_of,
)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A temporary folder that other users may pass through, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="sightline-bundled-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture(autouse=True)
def no_services_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)


@pytest.fixture(scope="module")
def running() -> Iterator[RunningServices]:
    with (
        pytest.MonkeyPatch.context() as patch,
        tempfile.TemporaryDirectory(prefix="sightline-bundled-") as folder,
    ):
        patch.delenv("DATABASE_URL", raising=False)
        patch.delenv("REDIS_URL", raising=False)
        Path(folder).chmod(0o711)
        with running_services(Path(folder) / "var", durable=False) as services:
            yield services


def data_of(running: RunningServices) -> Path:
    return running.servers[0].log.parents[1]


def connect(connections: Connections) -> psycopg.Connection:
    return psycopg.connect(connections.database_url, autocommit=True)


def run_apart(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=CHECKOUT, env=environment(), check=False, capture_output=True, text=True, timeout=60
    )


# ---- who can reach them ------------------------------------------------------------------------


def test_the_application_is_no_superuser_but_may_create_databases(running: RunningServices) -> None:
    with connect(running.connections) as connection:
        row = connection.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    assert row == (False, False, False, True)


def test_its_extensions_are_there_in_new_databases_too(running: RunningServices) -> None:
    names = "SELECT array_agg(extname::text ORDER BY extname) FROM pg_extension WHERE extname <> 'plpgsql'"
    with connect(running.connections) as connection:
        assert connection.execute(names).fetchone() == (["pg_trgm", "unaccent", "vector"],)
        connection.execute("CREATE DATABASE another")
    with psycopg.connect(running.connections.database_url, dbname="another") as connection:
        assert connection.execute(names).fetchone() == (["pg_trgm", "unaccent", "vector"],)
        connection.execute("CREATE TABLE pictures (v halfvec(768))")


def test_a_wrong_password_opens_neither(running: RunningServices) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(running.connections.database_url, password="guessed")
    socket = redis.ConnectionPool.from_url(running.connections.redis_url).connection_kwargs["path"]
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(unix_socket_path=socket, retry=Retry(NoBackoff(), 0)).ping()


def test_nothing_listens_on_a_network_port(running: RunningServices) -> None:
    listening = {
        line.split()[9]
        for table in ("tcp", "tcp6", "udp", "udp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    }
    pids = processes_of(data_of(running))
    assert len(pids) > 2
    for pid in pids:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            target = os.readlink(descriptor) if descriptor.is_symlink() else ""
            assert target.removeprefix("socket:[").rstrip("]") not in listening


def test_sockets_and_files_are_private(running: RunningServices) -> None:
    data = data_of(running)
    folders = [
        data / "postgres",
        data / "valkey",
        data / "secrets",
        data / "run/postgres",
        data / "run/valkey",
    ]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}
    assert {stat.S_IMODE(file.stat().st_mode) for file in (data / "secrets").iterdir()} == {0o600}


def test_passwords_stand_on_no_command_line_and_in_no_log(running: RunningServices) -> None:
    data = data_of(running)
    secrets = [file.read_bytes().strip() for file in (data / "secrets").iterdir() if file.suffix != ".json"]
    assert len(secrets) == 4
    shown = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in processes_of(data)]
    shown += [log.read_bytes() for log in (data / "log").iterdir()]
    assert not [text for text in shown for secret in secrets if secret in text]
    assert running.connections.secret_key not in repr(running.connections)


def test_settings_read_where_the_services_are(running: RunningServices, tmp_path: Path) -> None:
    assert read_connections(data_of(running)) == running.connections
    assert read_connections(tmp_path) is None


# ---- as whom they run --------------------------------------------------------------------------


def test_they_do_not_run_as_root_where_another_user_can_reach_the_folder(running: RunningServices) -> None:
    owners = {Path(f"/proc/{pid}").stat().st_uid for pid in processes_of(data_of(running))}
    assert owners
    program = postgres_programs().path
    reached = subprocess.run(["test", "-x", str(program)], user="nobody", check=False) if os.geteuid() == 0 else None
    if reached is None or reached.returncode == 0:
        assert 0 not in owners
    else:  # this checkout lies in a folder of root's alone: then root in a user namespace, who is nobody there
        maps = {Path(f"/proc/{pid}/uid_map").read_text() for pid in processes_of(data_of(running))}
        assert Path("/proc/self/uid_map").read_text() not in maps


def test_they_start_below_a_folder_that_only_its_owner_may_enter(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    with bundled_services(home / "var", durable=False) as connections, connect(connections) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_an_ordinary_user_starts_them(open_folder: Path) -> None:
    command = [*ordinary_user(open_folder), sys.executable, "-c", START, str(open_folder / "var")]
    done = run_apart(command)
    words = done.stdout.split()
    assert words[:2] == ["started", "as"], done.stderr
    assert words[2] != "0"
    assert words[4] == "sightline"


def test_a_path_too_long_for_a_socket_gets_a_short_private_folder(open_folder: Path) -> None:
    data = open_folder / ("a folder, " + "long " * 18) / "var"
    with bundled_services(data, durable=False) as connections, connect(connections) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        host = Path(connection.info.host)
        assert len(str(host)) < 60
        assert stat.S_IMODE(host.stat().st_mode) == 0o700


def test_a_socket_folder_that_somebody_else_laid_out_is_refused(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    data = open_folder / ("x" * 100)
    trap = Path("/tmp") / f"sightline-{hashlib.sha256(os.fsencode(data)).hexdigest()[:16]}-postgres"
    trap.symlink_to(open_folder)
    try:
        with pytest.raises(FolderNotOurs), bundled_services(data, durable=False):
            pass
    finally:
        trap.unlink()


def test_root_without_namespaces_keeps_the_files_where_another_user_can_reach_them(
    tmp_path: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = identity._reaches

    def no_namespaces(candidate: identity.Identity, data: Path, program: Path) -> bool:
        return candidate.shown_as is None and really(candidate, data, program)

    monkeypatch.setattr(identity, "_reaches", no_namespaces)
    monkeypatch.setattr(seat, "OUTSIDE", open_folder)
    data = tmp_path / "home" / "var"
    data.parent.mkdir(mode=0o700)
    for _ in range(2):
        with bundled_services(data, durable=False) as connections, connect(connections) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS kept AS SELECT 7 AS n")
    assert (data / "postgres").resolve().is_relative_to(open_folder if os.geteuid() == 0 else data)


def test_root_that_can_lend_the_servers_no_place_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(identity, "_reaches", lambda *_: False)
    with pytest.raises(ServersNeedAnotherUser, match="ordinary user"):
        identity.choose_identity(tmp_path / "postgres", tmp_path / "bin/postgres")


# ---- refusals ----------------------------------------------------------------------------------


def test_a_second_start_on_the_same_data_is_refused(running: RunningServices) -> None:
    with pytest.raises(AlreadyRunning) as refusal, bundled_services(data_of(running)):
        pass
    assert refusal.value.pid == os.getpid()
    assert "Stop it first" in str(refusal.value)
    with connect(running.connections) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_folder_without_the_right_to_write_is_refused(open_folder: Path) -> None:
    prefix = ordinary_user(open_folder)
    open_folder.chmod(0o555)
    command = [*prefix, sys.executable, "-c", START, str(open_folder)]
    done = run_apart(command)
    assert done.stdout.startswith("FolderNotWritable: Sightline cannot write to"), done.stderr
    assert "SIGHTLINE_DATA" in done.stdout


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("not a folder")
    with pytest.raises(FolderNotWritable), bundled_services(tmp_path / "var"):
        pass


def test_a_server_that_cannot_start_is_reported_with_its_last_words(tmp_path: Path) -> None:
    data = tmp_path / "var"
    with bundled_services(data, valkey=False, durable=False):
        pass
    (data / "postgres" / "PG_VERSION").write_text("9\n")
    with pytest.raises(ServiceFailed, match="not compatible"), bundled_services(data, valkey=False):
        pass


# ---- the environment wins ----------------------------------------------------------------------


def test_services_named_in_the_environment_are_used_and_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/archive")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere/0")
    with running_services(tmp_path / "var") as services:
        assert services.servers == ()
        assert services.connections.database_url == "postgres://elsewhere/archive"
        assert services.connections.redis_url == "redis://elsewhere/0"
    assert not (tmp_path / "var/postgres").exists()
    written = read_connections(tmp_path / "var")
    assert written is not None
    assert (written.database_url, written.redis_url) == ("", "")


# ---- what survives -----------------------------------------------------------------------------


def test_kill_9_of_the_launcher_leaves_nothing_and_the_next_start_finds_the_data(open_folder: Path) -> None:
    data = open_folder / "var"
    launcher = subprocess.Popen(
        [sys.executable, "-c", START, str(data), "stay"],
        cwd=CHECKOUT,
        env=environment(SIGHTLINE_DATA=str(data)),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert launcher.stdout is not None
    with launcher, launcher.stdout as said:
        assert said.readline().startswith("started")
        found = read_connections(data)
        assert found is not None
        with connect(found) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        assert len(processes_of(data)) > 5
        launcher.send_signal(signal.SIGKILL)
        launcher.wait(10)
        with bundled_services(data) as again, connect(again) as connection:  # at once: it waits for the dying
            assert connection.execute("SELECT n FROM kept").fetchone() == (7,)
    assert eventually(lambda: not processes_of(data))


def test_a_stale_pid_file_whose_number_somebody_else_has_now_does_not_stop_a_start(tmp_path: Path) -> None:
    data = tmp_path / "var"
    with bundled_services(data, valkey=False, durable=False):
        pid_file = (data / "postgres/postmaster.pid").read_text()
    (data / "postgres/postmaster.pid").write_text(f"{os.getppid()}\n" + pid_file.split("\n", 1)[1])
    with (
        bundled_services(data, valkey=False, durable=False) as connections,
        connect(connections) as connection,
    ):
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_postgres_started_by_hand_on_the_data_is_respected(tmp_path: Path) -> None:
    data = tmp_path / "var"
    with bundled_services(data, valkey=False, durable=False):
        pass
    by_hand = subprocess.Popen(["/bin/sleep", "60"], cwd=data / "postgres")
    try:
        (data / "postgres/postmaster.pid").write_text(f"{by_hand.pid}\n")
        with (
            pytest.raises(BundledError, match=f"process {by_hand.pid}"),
            bundled_services(data, valkey=False),
        ):
            pass
    finally:
        by_hand.kill()
        by_hand.wait()


def test_servers_that_die_are_revived_and_only_postgres_keeps_what_it_had(open_folder: Path) -> None:
    data = open_folder / "var"
    with running_services(data) as services:
        with connect(services.connections) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        client = redis.Redis.from_url(services.connections.redis_url)
        client.set("lost", "a reference picture")
        assert services.revive() == []
        for server in services.servers:
            assert server.process is not None
            server.process.kill()
            server.process.wait()
        assert eventually(lambda: len(processes_of(data)) == 0)
        assert services.revive() == ["Postgres", "Valkey"]
        with connect(services.connections) as connection:
            assert connection.execute("SELECT n FROM kept").fetchone() == (7,)
        assert client.get("lost") is None
        assert not any(b"a reference picture" in file.read_bytes() for file in data.rglob("*") if file.is_file())
    assert not processes_of(data)

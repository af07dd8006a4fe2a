"""`manage.py benchmark search` on a small archive: every layer is measured, nothing is left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from archive.bundled.processes import manage
from tests.benchmarks import left_behind, run_benchmark

STATEMENT = {"find_neighbours", "find_neighbours p99", "exact answer", "recall@50", "rows got"}
LAYERS = {*STATEMENT, "engine.search", "HTTP JSON", "HTTP page", "HTTP JSON p99", "HTTP page p99"}
SHARES = ("30%", "10%", "1%", "0.10%", "0.01%")


def test_searching_is_measured_layer_by_layer_and_share_by_share() -> None:
    rows = run_benchmark("search", "--runs", "2")
    for share in ("100%", *(f"{share} anywhere" for share in SHARES)):
        assert {f"{layer}, {share}" for layer in LAYERS} <= set(rows)
    for share in (f"{share} {lie}" for share in SHARES for lie in ("around", "far")):
        assert {f"{layer}, {share}" for layer in STATEMENT} <= set(rows)
    for name, row in rows.items():
        if name.startswith(("recall@50", "rows got")):
            assert row["value"] == 1.0  # so few are compared one by one
    assert "text query through the queries worker" in rows
    assert left_behind() == []


@pytest.mark.slow
def test_an_interrupted_benchmark_leaves_nothing_behind() -> None:
    command = manage("benchmark", "search", "--rows", "50000")
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=dict(os.environ)) as running:
        assert running.stderr is not None
        assert b"making 50000 rows" in running.stderr.readline()
        assert len(left_behind()) == 2
        # Python loses an interrupt that falls into a destructor; a person presses again.
        give_up = time.monotonic() + 60
        while running.poll() is None and time.monotonic() < give_up:
            running.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                running.communicate(timeout=5)
    assert running.returncode != 0
    until = time.monotonic() + 10
    while left_behind() and time.monotonic() < until:
        time.sleep(0.2)
    assert left_behind() == []


@pytest.mark.slow
def test_where_nothing_runs_it_brings_its_own_servers(tmp_path: Path) -> None:
    mine = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    command = manage("benchmark", "search", "--quick", "--rows", "100", "--runs", "1", "--json")
    done = subprocess.run(
        command, check=False, capture_output=True, env={**mine, "SIGHTLINE_DATA": str(tmp_path)}, timeout=240
    )
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout)["benchmark"] == "search"
    assert list(tmp_path.glob("scratch-*")) == []


def test_a_database_that_is_named_and_does_not_answer_is_said(tmp_path: Path) -> None:
    named = {**os.environ, "DATABASE_URL": "postgres://nobody@127.0.0.1:9/none", "SIGHTLINE_DATA": str(tmp_path)}
    done = subprocess.run(
        manage("benchmark", "search", "--quick"), check=False, capture_output=True, env=named, timeout=60
    )
    assert done.returncode != 0
    assert b"Nothing answers at DATABASE_URL" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_benchmark_that_fails_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="did not come to its end"):
        call_command("benchmark", "encode", "--quick", "--model", "no-such-model")
    assert "no-such-model" in capfd.readouterr().err
    assert left_behind() == []


def test_the_command_does_not_load_torch() -> None:
    code = "import search.management.commands.benchmark, search.benchmarks.search, sys; print('torch' in sys.modules)"
    script = f"import django; django.setup(); {code}"
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=settings.BASE_DIR
    )
    assert found.stdout.strip() == "False"

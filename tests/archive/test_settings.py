"""Settings: documented one by one, loud when wrong, and without side effects."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
READERS = {"str", "int", "bool", "float", "list", "url", "json"}


def read_by(path: str) -> set[str]:
    """The variables that a module reads from the environment."""
    found = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            first = node.args[0]
            from_env = isinstance(node.func.value, ast.Name) and node.func.value.id == "env"
            if from_env and node.func.attr in READERS and isinstance(first, ast.Constant):
                found.add(str(first.value))
    return found


def launcher_variables() -> set[str]:
    return set(re.findall(r'_count\("([A-Z_]+)"', (ROOT / "archive/bundled/processes.py").read_text()))


def documented() -> set[str]:
    rows = re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs/settings.md").read_text(), re.MULTILINE)
    assert len(rows) == len(set(rows)), "a variable is described twice"
    return set(rows)


def test_every_variable_is_described_and_nothing_else_is() -> None:
    assert len(read_by("archive/settings.py")) > 15
    assert documented() == read_by("archive/settings.py") | launcher_variables()


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "SIGHTLINE_DATA": "/nonexistent/data"}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**kept, **environment}, capture_output=True, text=True, check=False
    )


def test_importing_the_settings_writes_nothing_and_needs_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    done = run("import archive.settings as s; print(repr(s.SECRET_KEY), s.DEBUG)", SIGHTLINE_DATA=str(data))
    assert (done.returncode, done.stdout) == (0, "'' False\n"), done.stderr
    assert not data.exists()


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("SIGHTLINE_LEASE_SECONDS", "soon", "a whole number"),
        ("SIGHTLINE_UPLOAD_LIMIT", "2GB", "a whole number"),
        ("SIGHTLINE_QUERY_TIMEOUT", "", "a number"),
        ("DEBUG", "perhaps so", "true or false"),
        ("DATABASE_URL", "mysql://root:secret@host/db", "postgres://"),
        ("SIGHTLINE_HOOK_NETWORKS", "10.1.0.0/16,here", "networks"),
        ("SIGHTLINE_MEDIA_URL", "s3://key:secret@bucket/media", "a folder"),
        ("SIGHTLINE_MEDIA_URL", "file://media", "a folder"),
        ("SIGHTLINE_ACCEL", "caddy", "nginx or x-sendfile"),
    ],
)
def test_a_value_that_makes_no_sense_stops_every_command_with_one_sentence(name: str, value: str, wanted: str) -> None:
    start = "import runpy, sys; sys.argv = ['manage.py', 'doctor']; runpy.run_path('manage.py', run_name='__main__')"
    done = run(start, **{name: value})
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith(f"{name} is ")
    assert f"must be {wanted}" in done.stderr
    assert "secret" not in done.stderr


def test_without_services_the_check_says_what_to_do() -> None:
    done = run(
        "import django; django.setup()\n"
        "from django.core.checks import run_checks\n"
        "print([c.msg + c.hint for c in run_checks() if c.id == 'sightline.E001'])",
        DJANGO_SETTINGS_MODULE="archive.settings",
    )
    assert "DATABASE_URL, REDIS_URL, SECRET_KEY not set" in done.stdout, done.stderr
    assert "manage.py up" in done.stdout


def test_behind_tls_the_deployment_check_has_nothing_to_say() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env={**os.environ, "SIGHTLINE_TLS": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_is_pickled() -> None:
    from django.conf import settings

    assert settings.CELERY_ACCEPT_CONTENT == ["json"]
    options: Any = settings.CACHES["default"]["OPTIONS"]
    assert options["serializer"] == "archive.cache.PlainSerializer"
    assert "pickle" not in str(getattr(settings, "SESSION_SERIALIZER", "json")).lower()


@pytest.mark.parametrize("said", ["/srv/media", "file:///srv/media", "FILE:///srv/media"])
def test_a_folder_for_media_is_a_path_or_a_file_address(said: str) -> None:
    done = run("import archive.settings as s; print(s.MEDIA_ROOT)", SIGHTLINE_MEDIA_URL=said)
    assert (done.returncode, done.stdout) == (0, "/srv/media\n"), done.stderr

"""Runs a benchmark as its command does, and looks at what every report must have."""

from __future__ import annotations

import json
import math
from io import StringIO
from typing import Any

import psycopg
from django.conf import settings
from django.core.management import call_command

from archive.scratch import PREFIX

ROW = {"name", "value", "unit", "limit", "ratio", "runs"}


def run_benchmark(*arguments: str) -> dict[str, dict[str, Any]]:
    """The rows of the report by name, after checking their shape."""
    said = StringIO()
    call_command("benchmark", *arguments, "--quick", "--json", stdout=said)
    report = json.loads(said.getvalue())
    assert set(report) == {"benchmark", "machine", "rows"}
    assert report["benchmark"] == arguments[0]
    assert {"cpu", "cores", "torch", "device", "postgres", "pgvector"} <= set(report["machine"])
    for row in report["rows"]:
        assert set(row) == ROW
        assert all(math.isfinite(row[name]) and row[name] > 0 for name in ("value", "limit", "ratio", "runs"))
    return {row["name"]: row for row in report["rows"]}


def left_behind() -> list[str]:
    """Databases and folders that a benchmark made and did not remove."""
    with psycopg.connect(settings.DATABASE_URL) as server:
        databases = server.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX])
        found = [name for (name,) in databases.fetchall()]
    return found + [str(path) for path in settings.SIGHTLINE_DATA.glob("scratch-*")]

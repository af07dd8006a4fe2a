"""`manage.py benchmark`: measured figures, each beside its limit in the same run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib import import_module
from types import FrameType
from typing import Any

import orjson
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from archive.bundled.processes import manage
from archive.bundled.supervisor import kept
from archive.scratch import NoScratch, scratch

# Named by strings: this room does not import the workers', and each runs in a process of its own.
BENCHMARKS = {
    "encode": ["workers.benchmarks.encode"],
    "search": ["search.benchmarks.search", "workers.benchmarks.queries"],
    "admin": ["search.benchmarks.admin"],
    "ingest": ["workers.benchmarks.ingest"],
    "adapt": ["workers.benchmarks.adapt"],
    "video": ["workers.benchmarks.video"],
    "scenes": ["search.benchmarks.scenes"],
    "reuse": ["search.benchmarks.reuse"],
    "concepts": ["search.benchmarks.concepts"],
}


class Command(BaseCommand):
    help = (
        "Measure this machine: how near encoding, searching and taking in come to what their parts could do "
        "alone, what adapting to an archive's captions gains, and what concepts cost. Works in a database and a "
        "folder of its own, which are removed afterwards."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("benchmark", choices=list(BENCHMARKS))
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--quick", action="store_true", help="small numbers: whether it works, not how fast")
        parser.add_argument("--model", help="encode: an architecture with random weights (ViT-B-32), or shipped:NAME")
        parser.add_argument("--processes", type=int, help="encode: how many encode at once (one a core, at most 4)")
        parser.add_argument(
            "--rows",
            type=int,
            help="search, concepts: vectors (100000); admin: assets (1000000); scenes, reuse: films (80, 2000)",
        )
        parser.add_argument(
            "--pictures", type=int, help="ingest: how many of each size (200); adapt: how many in all (1600)"
        )
        parser.add_argument("--seconds", type=int, help="video: how long a film is (40)")
        parser.add_argument("--runs", type=int, help="how often each pair is measured")
        parser.add_argument("--in-scratch", action="store_true", help="used by the command itself")

    def handle(self, *, benchmark: str, in_scratch: bool, **options: Any) -> None:
        chosen = {
            name: options[name]
            for name in ("model", "processes", "rows", "pictures", "seconds", "runs")
            if options[name]
        }
        if in_scratch:
            call_command("migrate", verbosity=0, skip_checks=True)
            reports = [import_module(name).measure(quick=options["quick"], **chosen) for name in BENCHMARKS[benchmark]]
            whole = reports[0].as_dict()
            whole["rows"] += [row for report in reports[1:] for row in report.as_dict()["rows"]]
            self.stdout.write(orjson.dumps(whole).decode())
            return
        arguments = [word for name, value in chosen.items() for word in (f"--{name}", str(value))]
        report = run_in_scratch([benchmark, *arguments, *(["--quick"] if options["quick"] else [])])
        self.stdout.write(json.dumps(report) if options["json"] else as_table(report))


def run_in_scratch(arguments: list[str]) -> dict[str, Any]:
    """The report of a child that works in scratch; it and all of its own end with this process."""
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        with scratch() as environment:
            command = kept(manage("benchmark", *arguments, "--in-scratch"))
            with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, **environment}) as child:
                try:
                    said, _ = child.communicate()
                except BaseException:
                    child.terminate()
                    raise
    except NoScratch as error:
        raise CommandError(str(error)) from error
    finally:
        signal.signal(signal.SIGTERM, before)
    if child.returncode:
        raise CommandError("The benchmark did not come to its end; the lines above say why.")
    report: dict[str, Any] = orjson.loads(said.splitlines()[-1])
    return report


def as_table(report: dict[str, Any]) -> str:
    machine = ", ".join(f"{name} {value}" for name, value in report["machine"].items())
    lines = [f"{'':44}{'value':>10} {'limit':>10} {'ratio':>7} {'runs':>5}"]
    lines += [
        "{:44}{value:>10g} {limit:>10g} {ratio:>7.2f} {runs:>5}  {unit}".format(row["name"], **row)
        for row in report["rows"]
    ]
    return "\n".join([f"{report['benchmark']}: {machine}", *lines])


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)

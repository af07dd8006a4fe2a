"""`manage.py evaluate`: how well the shipped models tell held-out pictures apart, with and without templates."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from search.evaluation.zero_shot import measure_ways

HELD_OUT = "workers.benchmarks.held_out"  # by its name: torch is loaded when somebody evaluates, not before


class Command(BaseCommand):
    help = (
        "Zero-shot accuracy of the shipped models on pictures that no training saw, by the label's name alone, in "
        "one template and in the mean of several. Needs no database. For your own archive: `space evaluate`."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--model", metavar="NAME", help="only this shipped model")
        parser.add_argument("--scenes", type=int, default=300, metavar="N", help="so many drawn scenes (300)")
        parser.add_argument(
            "--stamps", type=Path, metavar="FOLDER", help="the stamps of Tux Paint, with their photographs"
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        found = {"zero_shot": measure_zero_shot(options["model"], options["scenes"], options["stamps"])}
        self.stdout.write(json.dumps(found) if options["json"] else as_text(found["zero_shot"]))


def measure_zero_shot(only: str | None, scenes: int, stamps: Path | None) -> list[dict[str, Any]]:
    """A row for each shipped model and each set. Raises `CommandError`."""
    held_out = import_module(HELD_OUT)
    models = held_out.shipped_models()
    if only and only not in models:
        raise CommandError(f"No shipped model is named {only!r}. There are: {', '.join(models)}.")
    if scenes < 1:
        raise CommandError("Draw at least one scene: --scenes 300.")
    try:
        sets = held_out.held_out_sets(scenes, stamps)
    except held_out.SourceMissing as error:
        raise CommandError(str(error)) from error
    rows = []
    for name in [only] if only else models:
        model = held_out.Model(name)
        for shown in sets:
            ways = measure_ways(model.pictures(shown), shown.labels, model.texts)
            rows.append(
                {
                    "model": name,
                    "set": shown.name,
                    "pictures": len(shown.labels),
                    "labels": len(set(shown.labels)),
                    "ways": {way: asdict(accuracy) for way, accuracy in ways.items()},
                }
            )
    return rows


def as_text(rows: list[dict[str, Any]]) -> str:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("model", "set", "words"):
        table.add_column(name, no_wrap=True)
    for name in ("pictures", "labels", "top-1", "top-5"):
        table.add_column(name, justify="right")
    for row in rows:
        for way, accuracy in row["ways"].items():
            numbers = (f"{accuracy['top1']:.3f}", f"{accuracy['top5']:.3f}")
            table.add_row(row["model"], row["set"], way, str(row["pictures"]), str(row["labels"]), *numbers)
    out = Console(highlight=False, force_terminal=False, width=120)
    with out.capture() as text:
        out.print(table)
    return "\n".join(line.rstrip() for line in text.get().splitlines())

"""`manage.py plan`: what this archive takes, and what a planned one would."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table as Drawn

from archive.models import Asset
from workers.cost_words import Table, tables
from workers.costs import draw_up
from workers.forms import PlanForm

WIDE = 160


class Command(BaseCommand):
    help = "Bytes and hours of the encoder, of this archive as it is and of a planned one: docs/costs.md."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--photos", metavar="N", help="plan for so many photos")
        parser.add_argument("--hours", metavar="H", help="plan for so many hours of video")
        parser.add_argument("--fps", metavar="F", help="frames of each second of them (as here)")
        parser.add_argument("--json", action="store_true")

    def handle(self, *, photos: str | None, hours: str | None, fps: str | None, **options: Any) -> None:
        asked = PlanForm({"photos": photos, "hours": hours, "fps": fps})
        if not asked.is_valid():
            wrong = (f"--{name}: {' '.join(map(str, said))}" for name, said in asked.errors.items())
            raise CommandError("\n".join(wrong))
        plan = draw_up(Asset.objects.all(), asked)
        if options["json"]:
            self.stdout.write(json.dumps(plan.as_dict()))
            return
        self.stdout.write("\n\n".join(as_text(table) for table in tables(plan)))


def as_text(table: Table) -> str:
    drawn = Drawn(box=None, pad_edge=False, header_style="bold")
    for n, name in enumerate(table.head):
        drawn.add_column(name, justify="right" if n else "left", no_wrap=True)
    for row in table.rows:
        drawn.add_row(*row)
    out = Console(highlight=False, force_terminal=False, width=WIDE)
    with out.capture() as text:
        out.print(drawn)
    body = "\n".join(line.rstrip() for line in text.get().splitlines())
    return "\n".join([table.title.upper(), body, *table.notes])

"""`manage.py space`: the workers' verbs, and `evaluate` and `switch`, which search and so belong to this room."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from rich.console import Console
from rich.table import Table

from archive.models import Space
from search.evaluation.bar import MEASURES, BadBar, Bar, lightest
from search.evaluation.evaluate import Evaluation, evaluate
from search.evaluation.judged import BadJudgements, Judged, judged_by_captions, judged_by_file
from search.management import switching
from workers.management.commands.space import Command as WorkersCommand
from workers.management.space_life import find_live
from workers.management.space_pace import measure_pace, read_texts

WIDE = 160


class Command(WorkersCommand):
    def add_verbs(self, verbs: Any) -> None:
        parser = verbs.add_parser("evaluate", help="measure spaces side by side: what a model is chosen by")
        parser.add_argument("slugs", nargs="*", metavar="SLUG", help="all live ones unless named")
        parser.add_argument("--labels", type=Path, metavar="FILE", help="CSV: filename,label (and caption)")
        parser.add_argument("--bar", metavar="R@5=0.8", help=f"name the lightest that clears it: {', '.join(MEASURES)}")
        parser.add_argument("--json", action="store_true")
        switching.add_arguments(verbs.add_parser("switch", help=switching.HELP))

    def do_switch(self, options: dict[str, Any]) -> None:
        try:
            said = switching.switch(options, self.stderr.write, lambda found: as_text(found, None, None))
        except KeyboardInterrupt as error:
            raise CommandError(
                "Stopped. Nothing is lost: the same command goes on from here.", returncode=130
            ) from error
        self.stdout.write(said)

    def do_evaluate(self, options: dict[str, Any]) -> None:
        try:
            bar = Bar.read(options["bar"]) if options["bar"] else None
            judged = read_judged(options["labels"])
        except (BadBar, BadJudgements) as error:
            raise CommandError(str(error)) from error
        chosen = [find_live(slug) for slug in options["slugs"]] or list(Space.objects.live().order_by("created_at"))
        if not chosen:
            raise CommandError("There is no space to evaluate. Make one: `manage.py space create`.")
        found = [evaluate(space, judged, read_texts, measure_pace) for space in chosen]
        best = lightest(found, bar) if bar else None
        self.stdout.write(as_json(found, bar, best) if options["json"] else as_text(found, bar, best))
        if bar and best is None:
            sys.exit(1)


def read_judged(path: Path | None) -> Judged:
    return judged_by_file(path) if path else judged_by_captions()


def as_json(found: list[Evaluation], bar: Bar | None, best: Evaluation | None) -> str:
    return json.dumps(
        {
            "spaces": [one.as_dict() for one in found],
            "bar": {"measure": bar.measure, "least": bar.least} if bar else None,
            "lightest": best.slug if best else None,
        }
    )


def as_text(found: list[Evaluation], bar: Bar | None, best: Evaluation | None) -> str:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("space", no_wrap=True)
    for name in ("covers", "recall@10", "R@1", "R@5", "accuracy", "pictures/s", "text ms", "MB a million"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in found:
        table.add_row(
            one.slug,
            share(one.coverage),
            share(one.recall) if one.indexed else "exact",
            *(share(value) for value in (one.r1, one.r5, one.accuracy)),
            f"{one.pictures_a_second:.1f}",
            f"{one.text_ms:.1f}",
            f"{one.bytes_a_million / 1e6:,.0f}" if one.bytes_a_million else "–",
        )
    out = Console(highlight=False, force_terminal=False, width=WIDE)
    with out.capture() as text:
        out.print(table)
    lines = [line.rstrip() for line in text.get().splitlines()]
    first = found[0]
    lines.append(f"by {first.captions} captions and {first.labelled} labels; pictures/s in one process, {first.device}")
    if bar and best:
        lines.append(f"the lightest with {bar.measure} of {bar.least:g} or more: {best.slug}")
    elif bar:
        lines.append(f"none has {bar.measure} of {bar.least:g} or more")
    return "\n".join(lines)


def share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"

"""How well shipped models tell held-out pictures apart, and what thumbs teach them, for `manage.py evaluate`."""

from __future__ import annotations

from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import CommandError
from rich.console import Console
from rich.table import Table

from archive.concepts.words import TEMPLATES, in_templates
from search.evaluation.thumbs import teach
from search.evaluation.zero_shot import measure_ways

HELD_OUT = "workers.benchmarks.held_out"  # by its name: torch is loaded when somebody evaluates, not before


def open_models(only: str | None) -> list[Any]:
    """Raises `CommandError`."""
    held_out = import_module(HELD_OUT)
    names = held_out.shipped_models()
    if only and only not in names:
        raise CommandError(f"No shipped model is named {only!r}. There are: {', '.join(names)}.")
    return [held_out.Model(name) for name in ([only] if only else names)]


def measure_zero_shot(models: list[Any], scenes: int, stamps: Path | None) -> list[dict[str, Any]]:
    """A row for each model and each set. Raises `CommandError`."""
    held_out = import_module(HELD_OUT)
    if scenes < 1:
        raise CommandError("Draw at least one scene: --scenes 300.")
    try:
        sets = held_out.held_out_sets(scenes, stamps)
    except held_out.SourceMissing as error:
        raise CommandError(str(error)) from error
    rows = []
    for model in models:
        for shown in sets:
            ways = measure_ways(model.pictures(shown), shown.labels, model.texts)
            rows.append(
                {
                    "model": model.name,
                    "set": shown.name,
                    "pictures": len(shown.labels),
                    "labels": len(set(shown.labels)),
                    "ways": {way: asdict(accuracy) for way, accuracy in ways.items()},
                }
            )
    return rows


def measure_thumbs(models: list[Any]) -> list[dict[str, Any]]:
    """A word that no model knows, before and after twenty thumbs: two thirds of the pictures may be judged."""
    word = import_module(HELD_OUT).jargon()
    true, texts = np.asarray(word.true), in_templates([word.prompt], TEMPLATES)
    part = 2 * len(true) // 3
    found = []
    for model in models:
        rows = model.scenes(word.scenes)
        read = dict(zip(texts, model.texts(texts), strict=True))
        lesson = teach(word.prompt, read, model.calibrated, rows[:part], true[:part], (rows[part:], true[part:]))
        found.append({"model": model.name, **lesson.as_dict()})
    return found


def in_words(lessons: list[dict[str, Any]]) -> str:
    lines = []
    for one in lessons:
        lines.append(f"{one['model']}: “{one['prompt']}”, on {one['unseen']} pictures that were never judged")
        for when, said in (("before", "by its words"), ("after", f"after {one['thumbs']} thumbs")):
            told = one[when]
            lines.append(
                f"  {said}: precision {told['precision']:.2f}, recall {told['recall']:.2f}, "
                f"average precision {told['average_precision']:.2f}"
            )
    return "\n".join(lines)


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

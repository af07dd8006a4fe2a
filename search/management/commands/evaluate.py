"""`manage.py evaluate`: how much is found. Of the live spaces, as `space evaluate`; of videos, by made films."""

from __future__ import annotations

import json
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from search.evaluation.pooling import POOLINGS, TEMPERATURE, Asked, Film, Found, measure, winner
from workers.management.film_set import EncodedQuestion, FilmSet, encode_set
from workers.management.space_life import find_live

WIDE = 160
FILMS, SEED = 80, 1
COLUMNS = ("R@1", "R@5", "nDCG@10", "second")


class Command(BaseCommand):
    help = "How much is found: in the live spaces by the archive's captions, or, with --videos, in films made for it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--videos", action="store_true", help="compare ways to pool frames, on made films")
        parser.add_argument("--films", type=int, default=FILMS, metavar="N", help=f"so many ({FILMS})")
        parser.add_argument("--seed", type=int, default=SEED, metavar="N", help="another seed makes other films")
        parser.add_argument("--space", metavar="SLUG", help="by the encoder of a live space (the shipped drawn-scenes)")
        parser.add_argument("--json", action="store_true")

    def handle(self, *, videos: bool, films: int, seed: int, space: str | None, **options: Any) -> None:
        as_json = options["json"]
        if not videos:
            slugs = [space] if space else []
            call_command("space", "evaluate", *slugs, json=as_json, stdout=self.stdout)
            return
        if not 2 <= films <= 1000:
            raise CommandError("--films must be from 2 to 1000.")
        made = encode_set(films, seed, find_live(space) if space else None)
        found = {"sentences": pooled(made, made.sentences), "short words": pooled(made, made.words)}
        best = winner(found["sentences"], found["short words"])
        self.stdout.write(json.dumps(as_dict(made, seed, found, best)) if as_json else as_text(made, found, best))


def pooled(made: FilmSet, questions: list[EncodedQuestion]) -> list[Found]:
    films = [Film(film.vectors, film.moments) for film in made.films]
    asked = [Asked(one.vector, one.right) for one in questions]
    return [measure(films, asked, name, pooling) for name, pooling in POOLINGS.items()]


def as_dict(made: FilmSet, seed: int, found: dict[str, list[Found]], best: str) -> dict[str, Any]:
    return {
        "model": made.model,
        "seed": seed,
        "films": len(made.films),
        "scenes": made.scenes,
        "frames": made.frames,
        "temperature": TEMPERATURE,
        "rows": [{"questions": kind, **one.as_dict()} for kind, rows in found.items() for one in rows],
        "best": best,
    }


def as_text(made: FilmSet, found: dict[str, list[Found]], best: str) -> str:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("questions", no_wrap=True)
    table.add_column("pooling", no_wrap=True)
    for name in COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    for kind, rows in found.items():
        for one in rows:
            told = one.as_dict()
            table.add_row(f"{one.asked} {kind}", one.pooling, *(f"{told[name]:.3f}" for name in COLUMNS))
    out = Console(highlight=False, force_terminal=False, width=WIDE)
    with out.capture() as text:
        out.print(table)
    lines = [line.rstrip() for line in text.get().splitlines()]
    lines.append(f"{len(made.films)} films, {made.scenes} scenes, {made.frames} frames; by {made.model}")
    lines.append("second: the first hit is right and opens within a second of its scene's beginning")
    lines.append(f"temperature of the weighted mean: {TEMPERATURE:g}; the one that finds most: {best}")
    return "\n".join(lines)

"""`manage.py evaluate --videos`: ways to pool the frames of a video, compared on films made for it."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import CommandError
from rich.console import Console
from rich.table import Table

from search.evaluation.pooling import POOLINGS, TEMPERATURE, Asked, Film, Found, measure, winner
from workers.management.film_set import EncodedQuestion, FilmSet, encode_set
from workers.management.space_life import find_live

WIDE = 160
FILMS, SEED = 80, 1  # another seed makes other films
COLUMNS = ("R@1", "R@5", "nDCG@10", "second")


def evaluate_videos(films: int, seed: int, space: str | None, *, as_json: bool) -> str:
    """The report, for a program or for a person. Raises `CommandError`."""
    if not 2 <= films <= 1000:
        raise CommandError("--films must be from 2 to 1000.")
    made = encode_set(films, seed, find_live(space) if space else None)
    found = {"sentences": pooled(made, made.sentences), "short words": pooled(made, made.words)}
    best = winner(found["sentences"], found["short words"])
    return json.dumps(as_dict(made, seed, found, best)) if as_json else as_text(made, found, best)


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

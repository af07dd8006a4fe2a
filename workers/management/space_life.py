"""The verbs of `manage.py space` that take a space through its life: parse, call, report."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.management.base import CommandError

from archive.models import Space, SpaceState
from archive.spaces import (
    Progress,
    activate,
    backfill,
    build_index,
    gaps,
    progress,
    promote_full,
    retire,
    rollback,
    stop_backfill,
)
from workers.upkeep import clear_retired

# For uploads of this moment, that are in one space and a moment later in the other.
PATIENCE = 10.0

Options = Mapping[str, Any]


@dataclass(frozen=True)
class Verb:
    """`run` returns what is printed."""

    help: str
    run: Callable[[Options], str]
    arguments: Callable[[ArgumentParser], Any] = lambda parser: None


def find_space(slug: str) -> Space:
    found = Space.objects.filter(slug=slug).first()
    if found is None:
        known = ", ".join(Space.objects.values_list("slug", flat=True)) or "none"
        raise CommandError(f"There is no space {slug!r}. There are: {known}.")
    return found


def find_live(slug: str) -> Space:
    space = find_space(slug)
    if space.state == SpaceState.RETIRED:
        raise CommandError(f"{slug} is retired: its vectors are gone. Make a new space for its model.")
    return space


def show_all(options: Options) -> str:
    promote_full()
    rows = [progress(space) for space in Space.objects.select_related("parent").order_by("created_at")]
    if options["json"]:
        return json.dumps([row.as_dict() for row in rows])
    return "\n".join(as_line(row) for row in rows)


def as_line(row: Progress) -> str:
    space, covered = row.space, row.covered
    if space.state == SpaceState.RETIRED:
        return f"{space.slug:24} {space.state:9} {space.model}"
    parts = [f"{covered.done}/{covered.total}", "indexed" if row.index.valid else "exact", f"{row.bytes / 1e6:.1f} MB"]
    if row.index.built is not None:
        parts[1] = f"index {row.index.built:.0%} built"
    if row.rate and covered.done < covered.total:
        parts.append(f"{row.rate:.1f} assets/s, {as_time(row.seconds_left)} left")
    if space.takes_over and space.state != SpaceState.ACTIVE:
        parts.append("searched when full")
    if covered.set_aside:
        parts.append(f"{covered.set_aside} set aside")
    return f"{space.slug:24} {space.state:9} {'  '.join(parts)}  {space.model}"


def as_time(seconds: float | None) -> str:
    if seconds is None:
        return "an unknown time"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def fill(options: Options) -> str:
    space = find_live(options["slug"])
    if options["stop"]:
        return f"{stop_backfill(space)} wait no longer; `space backfill {space.slug}` goes on where it stopped"
    return f"{backfill(space)} to encode"


def index(options: Options) -> str:
    space = find_live(options["slug"])
    made = build_index(space)
    promote_full()
    return "index is valid" if made else "too small to need an index: searched exactly"


def search_from_now_on(options: Options) -> str:
    space = find_space(options["slug"])
    activate(
        space,
        even_if_partial=options["partial"],
        even_if_unindexed=options["unindexed"],
        even_if_worse=options["even_if_worse"],
        patience=PATIENCE,
    )
    return f"{space.slug} is searched now"


def go_back(options: Options) -> str:
    space = rollback()
    lacking = gaps(space).count
    said = f"{space.slug} is searched again"
    many = "asset" if lacking == 1 else "assets"
    return f"{said}; it lacks {lacking} {many}: `space backfill {space.slug}` fills it" if lacking else said


def end(options: Options) -> str:
    space = find_space(options["slug"])
    retire(space)
    if clear_retired(space):
        return f"{space.slug} is retired; its vectors are gone"
    return f"{space.slug} is retired; its tables are in use and are dropped by the workers when that ends"


def one_slug(parser: ArgumentParser) -> None:
    parser.add_argument("slug")


def as_json(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true")


def of_backfill(parser: ArgumentParser) -> None:
    one_slug(parser)
    parser.add_argument("--stop", action="store_true", help="take back what waits; what is done stays")


def of_activate(parser: ArgumentParser) -> None:
    one_slug(parser)
    parser.add_argument("--partial", action="store_true", help="although it does not cover everything")
    parser.add_argument("--unindexed", action="store_true", help="although it is large and has no valid index")
    parser.add_argument("--even-if-worse", action="store_true", help="although its adapter gains nothing")


LIFE = {
    "list": Verb("all spaces: state, coverage, rate, time left, index, bytes", show_all, as_json),
    "backfill": Verb("encode what the space lacks, behind all uploads", fill, of_backfill),
    "index": Verb("build its HNSW index, while searches go on", index, one_slug),
    "activate": Verb("search this space from the next query on", search_from_now_on, of_activate),
    "rollback": Verb("search the space of before again, at once", go_back),
    "retire": Verb("drop its vectors; the searched space is refused", end, one_slug),
}

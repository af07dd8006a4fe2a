"""`manage.py space switch`: from a name to a space that is searched, one command, never dark."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from typing import Any

from django.core.management.base import CommandError

from archive.models import Space, SpaceState
from archive.spaces import GainsNothing, activate, coverage
from search.evaluation.evaluate import Evaluation, evaluate
from search.evaluation.judged import judged_by_captions
from workers.management.space_life import PATIENCE
from workers.management.space_pace import measure_pace, read_texts
from workers.management.space_switch import READS_SECONDS, Say, fill, find_or_make, index, wait_until_it_reads

HELP = "one command to another model: fetch, create, fill, index, measure, and search it once it is full"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", help="a model of docs/models.md, or a name for the space")
    parser.add_argument("--model", default="", help="of docs/models.md, or local-dir:PATH, where NAME is not one")
    parser.add_argument("--weights", default="", metavar="PATH", help="the model's folder or its weights file")
    parser.add_argument("--here", action="store_true", help="encode in this process, not on the workers")
    parser.add_argument("--yes", action="store_true", help="switch without asking once it is full")
    parser.add_argument("--even-if-unread", action="store_true", help="although no queries worker reads words in it")
    parser.add_argument(
        "--wait", type=float, default=READS_SECONDS, metavar="S", help="for the queries worker (%(default)g)"
    )
    parser.add_argument("--json", action="store_true")


def switch(options: Mapping[str, Any], say: Say, table: Callable[[list[Evaluation]], str]) -> str:
    """Returns what is printed. Calling it again goes on; until its last step nothing changes for who searches."""
    if not options["yes"] and not sys.stdin.isatty():
        raise CommandError("Nobody is here to be asked: add --yes to switch as soon as the space is full.")
    began, was = time.monotonic(), Space.objects.active()
    space = find_or_make(options, say)
    if space.state == SpaceState.ACTIVE:
        return _report(options, space, None, [], began)
    if space.gain and not space.gain["gains"]:
        raise GainsNothing(space.gain)
    fill(space, say, here=options["here"])
    index(space, say)
    found = measured(space, was, say)
    if found:
        say(table(found))
    if not options["even_if_unread"]:
        wait_until_it_reads(space, say, options["wait"])
    if not options["yes"] and not _agreed(space):
        return f"{space.slug} is full and waits. Give the command again, or: manage.py space activate {space.slug}"
    activate(space, patience=PATIENCE)
    return _report(options, space, was, found, began)


def _agreed(space: Space) -> bool:
    return input(f"Search with {space.slug} from now on? [y/N] ").strip().lower() in ("y", "yes")


def measured(space: Space, was: Space | None, say: Say) -> list[Evaluation]:
    """Both side by side; none where this machine has not the models."""
    judged = judged_by_captions()
    found = []
    for one in (was, space):
        if one is None:
            continue
        try:
            found.append(evaluate(one, judged, read_texts, measure_pace))
        except Exception as error:  # a figure that lacks must not keep a full space from being searched
            say(f"{one.slug} is not measured: {error}")
    return found


def _report(options: Mapping[str, Any], space: Space, was: Space | None, found: list[Evaluation], began: float) -> str:
    told = coverage(space)
    if options["json"]:
        about = {"space": space.slug, "was": was.slug if was else None, "done": told.done, "total": told.total}
        took = round(time.monotonic() - began, 1)
        return json.dumps({**about, "spaces": [one.as_dict() for one in found], "took": took})
    back = f"; `manage.py space rollback` goes back to {was.slug}" if was and was.pk != space.pk else ""
    return f"{space.slug} is searched now: {told.done:,} of {told.total:,} assets{back}"

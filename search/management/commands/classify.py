"""`manage.py classify`: which of these labels is it? One asset, or all that a query finds."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from archive.acting import NobodyToActFor, acting_as
from search.classifying import MOST, TOP, Classified, classify_all, classify_asset, classify_query
from search.failures import NotAnswered
from search.query import BadQuery, Query
from search.zero_shot import read_names


class Command(BaseCommand):
    help = "Say which of some labels a picture is, with probabilities: zero-shot, by the searched model."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("asset", nargs="?", metavar="ASSET", help="the id of an asset")
        parser.add_argument("--query", metavar="TEXT", help="instead of one asset, all that this search finds")
        parser.add_argument("--labels", required=True, metavar="A,B,C", help="what it may be, with commas between")
        parser.add_argument("--top", type=int, default=TOP, metavar="N", help=f"the N most probable ({TOP})")
        parser.add_argument("--limit", metavar="N", help=f"with --query: only the first N (all, up to {MOST:,})")
        parser.add_argument("--user", metavar="NAME", help="what this user may see (a superuser: everything)")
        parser.add_argument("--json", action="store_true", help="the answer as the API sends it")

    def handle(self, *args: Any, **options: Any) -> None:
        if (options["asset"] is None) == (options["query"] is None):
            raise CommandError("Name one asset, or what to search for: classify ASSET, or classify --query 'a boat'.")
        if options["top"] < 1:
            raise CommandError("--top is at least 1.")
        try:
            found = ask(options)
        except (BadQuery, NobodyToActFor, NotAnswered) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(found.as_dict()) if options["json"] else as_text(found))


def ask(options: dict[str, Any]) -> Classified:
    user, names = acting_as(options["user"]), read_names(options["labels"])
    if options["asset"] is None:
        if options["limit"] is None:
            return classify_all(Query.from_params({"q": options["query"]}), user, names, options["top"])
        query = Query.from_params({"q": options["query"], "limit": options["limit"]})
        return classify_query(query, user, names, options["top"])
    try:
        wanted = uuid.UUID(options["asset"])
    except ValueError:
        raise CommandError(f"{options['asset']!r} is no id of an asset; `search` shows them.") from None
    return classify_asset(wanted, user, names, options["top"])


def as_text(found: Classified) -> str:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("file", overflow="fold")
    table.add_column("label")
    table.add_column("probability", justify="right")
    table.add_column("there")
    for asset, guesses in found.rows:
        for place, one in enumerate(guesses):
            name = asset.filename if place == 0 else ""
            table.add_row(name, one.label or "none of these", f"{one.probability:.3f}", "yes" if one.there else "")
    out = Console(highlight=False, force_terminal=False, width=120)
    with out.capture() as text:
        out.print(table)
    lines = [line.rstrip() for line in text.get().splitlines()]
    if not found.whole:
        lines.append(f"These are the first {len(found.rows):,}; the search finds more.")
    return "\n".join(lines)

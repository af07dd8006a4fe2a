"""`manage.py search`: the web's search on the command line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files import File
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import prefetch_related_objects
from rich.console import Console
from rich.table import Table

from archive.acting import NobodyToActFor, acting_as
from archive.decoder.refusals import DecoderError
from archive.incoming import TooLarge
from archive.models import Kind
from search.answers import as_dict
from search.engine import search
from search.failures import NotAnswered
from search.hints import name_cut
from search.hits import Answer
from search.pictures import keep_picture
from search.query import BadQuery, Mode, Order, Query, Shape
from search.spaces import find_live
from search.weights import LEAST, MOST

# The query's own words, as options here; they are read and judged by it.
OPTIONS = (
    *(
        "without",
        "like",
        "at",
        "unlike",
        "box",
        "balance",
        "then",
        "also",
        "seconds",
        "within",
        "collection",
        "kind",
        "tag",
        "alltags",
        "notags",
        "from",
        "to",
    ),
    *("shape", "larger", "smaller", "by", "placed", "longer", "shorter", "name", "mode", "order", "limit", "space"),
    *("pictureweight", "likeweight", "unlikeweight"),
    *("picture", "offset", "cursor"),
)
SWITCHES = ("exact", "literal")
FILTERS = (
    ("tag", "NAMES", "any of these tags, with commas between them"),
    ("alltags", "NAMES", "all of these tags"),
    ("notags", "NAMES", "none of these tags"),
    ("shape", "SHAPE", ", ".join(Shape)),
    ("larger", "MEGAPIXELS", "at least so large"),
    ("smaller", "MEGAPIXELS", "at most so large"),
    ("by", "NAME", "who uploaded it"),
    ("placed", "YES|NO", "whether it is known where it was taken"),
    ("longer", "SECONDS", "at least so long"),
    ("shorter", "SECONDS", "at most so long"),
    ("name", "TEXT", "in the file name"),
    ("mode", "MODE", "where relevance ends: " + ", ".join(Mode)),
    ("order", "ORDER", ", ".join(Order)),
)
WIDE = 160
MOMENTS = 3  # of a video in the table


class Command(BaseCommand):
    help = "Search by words, by a picture, by a stored asset, or by several together; without any, list the newest."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("text", nargs="?", default="", metavar="TEXT", help="what to look for, in words")
        parser.add_argument("--image", type=Path, metavar="PATH", help="a picture to find similar ones of")
        parser.add_argument("--picture", metavar="KEY", help="that picture again, for an hour: for its next pages")
        parser.add_argument("--like", metavar="ASSET", help="the id of an asset to find similar ones of")
        parser.add_argument("--at", metavar="SECONDS", help="the second of the liked video that is meant")
        parser.add_argument("--then", metavar="TEXT", help="what comes after it in the same video")
        parser.add_argument("--also", metavar="TEXT", help="what is also in the same video")
        parser.add_argument("--seconds", metavar="N", help="the longest pause before what comes then (60; 0: any)")
        parser.add_argument("--within", metavar="ASSET", help="only in this video: its moments")
        parser.add_argument("--not", dest="without", metavar="TEXT", help="what to leave out; “people^2” counts double")
        parser.add_argument("--collection", metavar="SLUG")
        parser.add_argument("--kind", metavar="KIND", help=" or ".join(Kind.values))
        parser.add_argument("--from", metavar="DATE", help="taken on this day or later, as 2026-05-31")
        parser.add_argument("--to", metavar="DATE", help="taken on this day or before")
        parser.add_argument("--unlike", metavar="ASSET", help="the id of an asset whose like is left out")
        for name, what in (("picture", "--image"), ("like", "--like"), ("unlike", "--unlike")):
            parser.add_argument(
                f"--{name}weight", metavar="N", help=f"how much {what} counts, {LEAST:g} to {MOST:g} (1)"
            )
        parser.add_argument("--box", metavar="L,T,W,H", help="the part of the picture that is meant, as shares of it")
        parser.add_argument("--balance", metavar="SHARE", help="how much words weigh beside a picture (0.5)")
        parser.add_argument("--literal", action="store_true", help="take “no” and “without” for words like any other")
        for name, meta, text in FILTERS:
            parser.add_argument(f"--{name}", metavar=meta, help=text)
        parser.add_argument("--space", metavar="SLUG", help="in this space instead of the searched one")
        parser.add_argument("--limit", metavar="N", default="20", help="at most so many (20)")
        parser.add_argument("--offset", metavar="N", help="leave out the first N: the next page, with the --cursor")
        parser.add_argument("--cursor", metavar="CURSOR", help="of the answer before, so that nothing comes twice")
        parser.add_argument("--exact", action="store_true", help="compare with everything, without the index")
        parser.add_argument("--user", metavar="NAME", help="what this user may see (a superuser: everything)")
        parser.add_argument("--json", action="store_true", help="the answer as the API sends it")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user = acting_as(options["user"])
            query = read_query(options)
            if options["image"]:
                query = replace(query, picture=take_picture(options["image"], user))
            answer = search(query, user)
        except (BadQuery, NobodyToActFor, NotAnswered, DecoderError, TooLarge) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(as_dict(answer)))
        else:
            self.show(query, answer, following(query, answer))

    def show(self, query: Query, answer: Answer, further: str) -> None:
        """`further`: what to say to see more, where there is more."""
        terminal = self.stdout.isatty()
        # A pipe has no width, and ids must not be cut.
        out = Console(highlight=False, force_terminal=terminal, width=None if terminal else WIDE)
        note = f"{answer.got} found, {answer.plan}, {answer.milliseconds:.0f} ms"
        with out.capture() as text:
            if answer.hits:
                out.print(as_table(answer))
            if answer.cut:
                out.print(name_cut(query, find_live(answer.space)), markup=False)
            out.print(note, style="dim")
            if answer.more:
                out.print(f"There is more: {further}", style="dim", soft_wrap=True)
        self.stdout.write(text.get())


def read_query(options: Mapping[str, Any]) -> Query:
    """Raises `BadQuery`."""
    params = {name: options[name] for name in OPTIONS if options[name]}
    switched = {name: "1" for name in SWITCHES if options[name]}
    return Query.from_params({**params, **switched, "q": options["text"]})


def following(query: Query, answer: Answer) -> str:
    """What to say for the next page; a picture is named by its key, for sent again it would be another one."""
    picture = f"--picture {query.picture} " if query.picture else ""
    return f"{picture}--offset {query.offset + query.limit} --cursor {answer.cursor}"


def take_picture(path: Path, user: User) -> str:
    """The key under which the picture's vector is kept for the engine."""
    try:
        if path.stat().st_size > settings.SIGHTLINE_UPLOAD_LIMIT:
            raise TooLarge(settings.SIGHTLINE_UPLOAD_LIMIT)
        with path.open("rb") as file:
            return keep_picture(File(file), user)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror or error}.") from error


def as_table(answer: Answer) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("rank", justify="right")
    table.add_column("match")
    table.add_column("at", justify="right")
    table.add_column("file", overflow="fold")
    table.add_column("collection")
    table.add_column("asset", no_wrap=True)
    prefetch_related_objects([hit.asset for hit in answer.hits], "collection")
    for hit in answer.hits:
        at = " ".join(f"{moment.at:.0f}s" for moment in hit.moments[:MOMENTS]) if hit.asset.kind == Kind.VIDEO else ""
        about = (hit.asset.filename, hit.asset.collection.slug, str(hit.asset.uuid))
        table.add_row(str(hit.rank), hit.words, at, *about)
    return table

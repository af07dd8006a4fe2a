"""What `manage.py vocabulary` and `manage.py tags` have in common: a table comes in, a table goes out."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from archive.acting import NobodyToActFor, acting_as
from archive.exchange.lines import BadFile
from archive.exchange.tally import NotImported, Tally
from archive.exchange.writing import FORMATS

STANDARD = Path("-")


class Import(Protocol):
    def __call__(self, file: BinaryIO, user: User, *, dry_run: bool, leave_out_wrong: bool) -> Tally: ...


class ExchangeCommand(BaseCommand, ABC):
    """`take` and `rows` are the verbs of a command."""

    take: Callable[..., Tally]
    what: str

    def add_arguments(self, parser: CommandParser) -> None:
        self.verbs = parser.add_subparsers(dest="verb", required=True)
        into = self.verbs.add_parser("import", help=f"{self.what} from a CSV or JSON file")
        into.add_argument("path", type=Path, metavar="PATH", help="“-” is the standard input")
        into.add_argument("--dry-run", action="store_true", help="only say what would change, and what is wrong")
        into.add_argument("--leave-out-wrong", action="store_true", help="take in the right lines all the same")
        into.add_argument("--json", action="store_true", help="the outcome as JSON, on standard output")
        out = self.verbs.add_parser("export", help=f"{self.what} as CSV or JSON")
        out.add_argument("path", type=Path, metavar="PATH", nargs="?", default=STANDARD)
        out.add_argument("--format", choices=list(FORMATS), help="by the ending of the path, else csv")
        self.add_more(out)
        for verb in (into, out):
            verb.add_argument("--user", metavar="NAME", help="on whose behalf (a superuser)")

    def add_more(self, export: Any) -> None:
        """Options of the one command."""

    def handle(self, *, verb: str, user: str | None, **options: Any) -> None:
        try:
            person = acting_as(user)
        except NobodyToActFor as error:
            raise CommandError(str(error)) from None
        getattr(self, f"do_{verb.replace('-', '_')}")(person, options)

    def do_import(self, user: User, options: dict[str, Any]) -> None:
        take = cast(Import, self.take)
        try:
            with opened(options["path"]) as file:
                told = take(file, user, dry_run=options["dry_run"], leave_out_wrong=options["leave_out_wrong"])
        except (BadFile, OSError) as error:
            raise CommandError(str(error)) from error
        except NotImported as error:
            self.report(error.tally, options["json"])
            raise CommandError(str(error)) from error
        self.report(told, options["json"], would="would be " if options["dry_run"] else "")
        if told.wrong:
            raise CommandError(f"{told.wrong:,} of {told.lines:,} lines are wrong.")

    def do_export(self, user: User, options: dict[str, Any]) -> None:
        path: Path = options["path"]
        kind = options["format"] or (path.suffix[1:] if path.suffix[1:] in FORMATS else "csv")
        parts = self.table(user, kind, options)
        if path == STANDARD:
            out = getattr(self.stdout, "buffer", None) or getattr(sys.stdout, "buffer", None)
            if out is None:
                raise CommandError("There is no standard output for a table. Name a file.")
            for part in parts:
                out.write(part)
            out.flush()
            return
        try:
            with path.open("wb") as file:
                for part in parts:
                    file.write(part)
        except OSError as error:
            raise CommandError(str(error)) from error

    @abstractmethod
    def table(self, user: User, kind: str, options: dict[str, Any]) -> Iterator[bytes]:
        """The file, piece by piece; `kind` is one of `FORMATS`."""

    def report(self, told: Tally, as_json: bool, would: str = "") -> None:
        if as_json:
            self.stdout.write(json.dumps(told.as_dict()))
            return
        for problem in told.problems:
            self.stderr.write(str(problem))
        if told.wrong > len(told.problems):
            self.stderr.write(f"and {told.wrong - len(told.problems):,} more lines")
        for left in told.left_out:
            self.stderr.write(str(left))
        self.stdout.write(
            f"{told.lines:,} lines: {told.added:,} {would}added, {told.changed:,} {would}changed, "
            f"{told.same:,} as before, {told.wrong:,} wrong"
        )


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file that can be read twice; what comes on the standard input is kept for that."""
    if path != STANDARD:
        with path.open("rb") as file:
            yield file
        return
    with tempfile.TemporaryFile() as kept:
        shutil.copyfileobj(sys.stdin.buffer, kept)
        kept.seek(0)
        yield cast(BinaryIO, kept)

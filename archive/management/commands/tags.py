"""`manage.py tags import|export|read`: which asset carries which tag, as a table; and keywords out of files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import User

from archive.exchange.tag_import import import_tags
from archive.exchange.tag_rows import TAGS, tag_rows
from archive.exchange.writing import write
from archive.keyword_reading import Reading, read_missing
from archive.management.exchange import ExchangeCommand
from archive.models import TagState


class Command(ExchangeCommand):
    help = "Tags as CSV or JSON, out and in again; and the keywords of files that came before they were read."
    what = "tags"
    take = staticmethod(import_tags)

    def add_more(self, export: Any) -> None:
        export.add_argument("--all", action="store_true", help="what is proposed or rejected as well")
        read = self.verbs.add_parser("read", help="the keywords in files of which they were never read")
        read.add_argument("--collection", metavar="SLUG", help="only there")
        read.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long; call it again")
        read.add_argument("--user", metavar="NAME", help="on whose behalf (a superuser)")

    def table(self, user: User, kind: str, options: dict[str, Any]) -> Iterator[bytes]:
        states = TagState.values if options["all"] else [str(TagState.ACCEPTED)]
        return write(tag_rows(user, states), TAGS.known, kind)

    def do_read(self, user: User, options: dict[str, Any]) -> None:
        found = Reading()
        for found in read_missing(user, options["collection"] or "", options["seconds"]):
            self.stderr.write(f"\r{found.files:,} files", ending="")
        self.stderr.write("")
        self.stdout.write(
            f"{found.files:,} files read, {found.tags:,} tags put on, {found.unread:,} could not be read"
            + (", more are left" if found.more else "")
        )

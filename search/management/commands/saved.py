"""`manage.py saved list|add|show|rename|share|remove|alert|test`: saved searches on the command line."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import replace
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from archive.acting import NobodyToActFor, acting_as
from archive.decoder.refusals import DecoderError
from archive.incoming import TooLarge
from archive.models import AlertMode, SavedSearch
from search.acting import describe
from search.alerts import switch_off, switch_on
from search.alerts_backtest import DAYS, MOST_DAYS, back_test
from search.answers import as_dict
from search.engine import search
from search.failures import NotAnswered
from search.management.commands.search import Command as Search
from search.management.commands.search import read_query, take_picture
from search.query import BadQuery, Mode, Query
from search.saved import change, find_named, may_change, query_of, read_collection, save_search


class Command(BaseCommand):
    help = "Saved searches: keep a query under a name, share it, and be told of what is new in it."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        listed = verbs.add_parser("list", help="yours, and what is shared with you")
        listed.add_argument("--json", action="store_true")
        add = verbs.add_parser("add", help="save a query, given as for `search`")
        add.add_argument("called", metavar="NAME")
        Search().add_arguments(add)
        for verb, text in (
            ("show", "what it finds now"),
            ("rename", "give it another name"),
            ("share", "with the members of a collection; without one with nobody"),
            ("remove", "with all alerts on it"),
            ("alert", "be told of what is new, or not any more"),
            ("test", "what an alert would have found lately"),
        ):
            one = verbs.add_parser(verb, help=text)
            one.add_argument("called", metavar="NAME", help="its name or its id")
            getattr(self, f"add_to_{verb}", lambda _: None)(one)
        for one in verbs.choices.values():
            if not any(action.dest == "user" for action in one._actions):
                one.add_argument("--user", metavar="NAME", help="on whose behalf (a superuser)")

    def add_to_show(self, parser: ArgumentParser) -> None:
        parser.add_argument("--limit", metavar="N", default="20", help="at most so many (20)")
        parser.add_argument("--json", action="store_true", help="the answer as the API sends it")

    def add_to_rename(self, parser: ArgumentParser) -> None:
        parser.add_argument("new", metavar="NEW")

    def add_to_share(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", nargs="?", default="", metavar="COLLECTION")

    def add_to_alert(self, parser: ArgumentParser) -> None:
        parser.add_argument("state", choices=["on", "off"])
        self._add_mode(parser)

    def add_to_test(self, parser: ArgumentParser) -> None:
        self._add_mode(parser)
        parser.add_argument("--days", type=int, default=DAYS, help=f"how many days back ({DAYS})")

    def _add_mode(self, parser: ArgumentParser) -> None:
        parser.add_argument("--mode", choices=AlertMode.values, default=AlertMode.BALANCED, help="where relevance ends")

    def handle(self, *, verb: str, user: str | None, **options: Any) -> None:
        try:
            getattr(self, f"do_{verb}")(acting_as(user), options)
        except (BadQuery, NobodyToActFor, NotAnswered, DecoderError, TooLarge) as error:
            raise CommandError(str(error)) from error

    def do_list(self, user: User, options: dict[str, Any]) -> None:
        seen = SavedSearch.objects.visible_to(user).select_related("owner", "collection").defer("picture", "stamp")
        rows = [
            {
                "saved_search": str(one.uuid),
                "name": one.name,
                "owner": one.owner.username,
                "collection": one.collection.slug if one.collection else None,
                "query": one.params,
            }
            for one in seen
        ]
        if options["json"]:
            self.stdout.write(json.dumps(rows))
            return
        for one, row in zip(seen, rows, strict=True):
            self.stdout.write(f"{row['saved_search']}  {one.name}  ({describe(query_of(one), user)})")

    def do_add(self, user: User, options: dict[str, Any]) -> None:
        query = read_query(options)
        if options["image"]:
            query = replace(query, picture=take_picture(options["image"], user))
        made = save_search(query, options["called"], user)
        self.stdout.write(json.dumps({"saved_search": str(made.uuid)}) if options["json"] else f"{made.uuid}  {made}")

    def do_show(self, user: User, options: dict[str, Any]) -> None:
        params = {**self._find(user, options).params, "limit": options["limit"]}
        query = Query.from_params(params)
        answer = search(query, user)
        if options["json"]:
            self.stdout.write(json.dumps(as_dict(answer)))
            return
        table = Search()
        table.stdout = self.stdout
        table.show(query, answer, "--limit")

    def do_rename(self, user: User, options: dict[str, Any]) -> None:
        self.stdout.write(str(change(self._find_own(user, options), name=options["new"])))

    def do_share(self, user: User, options: dict[str, Any]) -> None:
        found = change(self._find_own(user, options), collection=read_collection(options["slug"], user))
        self.stdout.write(
            f"shared with the members of {found.collection}" if found.collection else "shared with nobody"
        )

    def do_remove(self, user: User, options: dict[str, Any]) -> None:
        self._find_own(user, options).delete()

    def do_alert(self, user: User, options: dict[str, Any]) -> None:
        found = self._find(user, options)
        if options["state"] == "on":
            switch_on(found, user, options["mode"])
        else:
            switch_off(found, user)

    def do_test(self, user: User, options: dict[str, Any]) -> None:
        if not 1 <= options["days"] <= MOST_DAYS:
            raise CommandError(f"--days is a whole number from 1 to {MOST_DAYS}.")
        test = back_test(query_of(self._find(user, options)), user, Mode(options["mode"]), options["days"])
        self.stdout.write(test.sentence)

    def _find(self, user: User, options: dict[str, Any]) -> SavedSearch:
        found = find_named(user, options["called"])
        if found is None:
            raise CommandError(f"{user} sees no saved search named {options['called']!r}. `saved list` shows all.")
        return found

    def _find_own(self, user: User, options: dict[str, Any]) -> SavedSearch:
        found = self._find(user, options)
        if not may_change(found, user):
            raise CommandError(f"“{found}” is shared with {user}, but not theirs to change.")
        return found

"""`manage.py space list|fetch|create|backfill|index|activate`: the models that the archive is encoded with."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError

from archive.models import Space
from archive.spaces import SpaceNotReady, activate, backfill, build_index, coverage
from workers.catalogue import default_model
from workers.encoders.protocol import EncoderRefused
from workers.fetch import FetchFailed
from workers.management import space_fetch
from workers.spaces import SHIPPED, SHIPPED_KNOWS, SHIPPED_SLUG, make_space


class Command(BaseCommand):
    help = "Embedding spaces: list them, make one for another model, fill it, search it."
    requires_system_checks: list[str] = []  # `fetch` needs no archive: a machine that only has the internet will do

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        listing = verbs.add_parser("list", help="all spaces with their state and coverage")
        listing.add_argument("--json", action="store_true")
        space_fetch.add_arguments(verbs.add_parser("fetch", help=space_fetch.HELP))
        create = verbs.add_parser("create", help="a new space; uploads are written to it from then on")
        create.add_argument("slug", nargs="?")
        create.add_argument("--model", help=f"a name of docs/models.md ({default_model().name}), or local-dir:PATH")
        create.add_argument("--weights", default="", metavar="PATH", help="the model's folder or its weights file")
        create.add_argument("--shipped", action="store_true", help="the small model that comes along; activated")
        create.add_argument("--if-none", action="store_true", help="do nothing when there is a space already")
        for verb, text in (("backfill", "encode what the space lacks"), ("index", "build its HNSW index")):
            verbs.add_parser(verb, help=text).add_argument("slug")
        active = verbs.add_parser("activate", help="search this space from the next query on")
        active.add_argument("slug")
        active.add_argument("--partial", action="store_true", help="although it does not cover everything")

    def handle(self, *args: Any, **options: Any) -> None:
        verb = options["verb"]
        if verb != "fetch":
            self.check()
        try:
            getattr(self, f"do_{verb}")(options)
        except (EncoderRefused, FetchFailed, SpaceNotReady, ValueError) as error:
            raise CommandError(str(error)) from error
        except IntegrityError as error:
            raise CommandError("There is a space of that name, or another one is being filled.") from error

    def do_list(self, options: dict[str, Any]) -> None:
        rows = [
            {
                "slug": space.slug,
                "model": space.model,
                "state": space.state,
                "dimensions": space.dimensions,
                "done": covered.done,
                "total": covered.total,
            }
            for space in Space.objects.order_by("created_at")
            for covered in [coverage(space)]
        ]
        if options["json"]:
            self.stdout.write(json.dumps(rows))
            return
        for row in rows:
            self.stdout.write("{slug:24} {state:9} {done}/{total}  {model}".format(**row))

    def do_create(self, options: dict[str, Any]) -> None:
        if options["if_none"] and Space.objects.exists():
            return
        if options["shipped"]:
            space = make_space(options["slug"] or SHIPPED_SLUG, SHIPPED, knows=SHIPPED_KNOWS)
            activate(space, even_if_partial=not Space.objects.active())
        elif options["slug"]:
            model = options["model"] or default_model().name
            space_fetch.get_weights(model, options["weights"], self.stderr.write)
            space = make_space(options["slug"], model, options["weights"])
        else:
            raise CommandError("Name the space (and its --model, or --weights), or ask for --shipped.")
        if said := space_fetch.about_weights(space):
            self.stderr.write(said)
        self.stdout.write(f"{space.slug}: {space.model}, {space.dimensions} numbers, {space.get_state_display()}")

    def do_fetch(self, options: dict[str, Any]) -> None:
        self.stdout.write(space_fetch.fetch_model(options))

    def do_backfill(self, options: dict[str, Any]) -> None:
        self.stdout.write(f"{backfill(self._space(options))} to encode")

    def do_index(self, options: dict[str, Any]) -> None:
        made = build_index(self._space(options))
        self.stdout.write("index is valid" if made else "too small to need an index: searched exactly")

    def do_activate(self, options: dict[str, Any]) -> None:
        space = self._space(options)
        activate(space, even_if_partial=options["partial"])
        self.stdout.write(f"{space.slug} is searched now")

    def _space(self, options: dict[str, Any]) -> Space:
        found = Space.objects.filter(slug=options["slug"]).first()
        if found is None:
            known = ", ".join(Space.objects.values_list("slug", flat=True)) or "none"
            raise CommandError(f"There is no space {options['slug']!r}. There are: {known}.")
        return found

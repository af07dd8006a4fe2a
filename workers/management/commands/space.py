"""`manage.py space list|create|backfill|index|activate`: the models that the archive is encoded with."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError

from archive.models import Space
from archive.spaces import SpaceNotReady, activate, backfill, build_index, coverage
from workers.encoders.protocol import EncoderRefused
from workers.spaces import SHIPPED_KNOW, make_shipped_space, make_space


class Command(BaseCommand):
    help = "Embedding spaces: list them, make one for another model, fill it, search it."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        listing = verbs.add_parser("list", help="all spaces with their state and coverage")
        listing.add_argument("--json", action="store_true")
        create = verbs.add_parser("create", help="a new space; uploads are written to it from then on")
        create.add_argument("slug", nargs="?")
        create.add_argument("--model", help="local-dir:PATH, or an architecture of open_clip")
        create.add_argument("--weights", default="", help="the weights file, with an architecture")
        create.add_argument(
            "--shipped",
            nargs="?",
            choices=SHIPPED_KNOW,
            const=next(iter(SHIPPED_KNOW)),
            help="a small model that comes along (%(const)s, or the one named); activated in a new archive",
        )
        create.add_argument("--if-none", action="store_true", help="do nothing when there is a space already")
        for verb, text in (("backfill", "encode what the space lacks"), ("index", "build its HNSW index")):
            verbs.add_parser(verb, help=text).add_argument("slug")
        active = verbs.add_parser("activate", help="search this space from the next query on")
        active.add_argument("slug")
        active.add_argument("--partial", action="store_true", help="although it does not cover everything")

    def handle(self, *args: Any, **options: Any) -> None:
        verb = options["verb"]
        try:
            getattr(self, f"do_{verb}")(options)
        except (EncoderRefused, SpaceNotReady, ValueError) as error:
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
            space = make_shipped_space(options["shipped"], options["slug"] or "")
            if not Space.objects.active():
                activate(space, even_if_partial=True)
        elif options["slug"] and options["model"]:
            space = make_space(options["slug"], options["model"], options["weights"])
        else:
            raise CommandError("Name the space and its --model, or ask for --shipped.")
        self.stdout.write(f"{space.slug}: {space.model}, {space.dimensions} numbers, {space.get_state_display()}")

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

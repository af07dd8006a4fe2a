"""`manage.py space list|fetch|create|adapt|backfill|index|activate|rollback|retire`: the models of the archive.

`space evaluate` is added above, in the room that searches (search.management.commands.space).
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError

from archive.catalogue import default_model
from archive.models import Space
from archive.spaces import ArchiveBusy, IndexBeingBuilt, SpaceInUse, SpaceNotReady, activate
from workers.encoders.protocol import EncoderRefused
from workers.fetch import FetchFailed
from workers.management import space_fetch
from workers.management.adapt import adapt, add_adapt_arguments
from workers.management.space_life import LIFE, find_live
from workers.spaces import SHIPPED_KNOW, make_shipped_space, make_space

REFUSALS = (ArchiveBusy, EncoderRefused, FetchFailed, IndexBeingBuilt, SpaceInUse, SpaceNotReady, ValueError)


class Command(BaseCommand):
    help = "Embedding spaces: list them, make one for another model, fill it, search it."
    requires_system_checks: list[str] = []  # `fetch` needs no archive: a machine that only has the internet will do

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        for name, verb in LIFE.items():
            verb.arguments(verbs.add_parser(name, help=verb.help))
        self.add_verbs(verbs)
        space_fetch.add_arguments(verbs.add_parser("fetch", help=space_fetch.HELP))
        create = verbs.add_parser("create", help="a new space; uploads are written to it from then on")
        create.add_argument("slug", nargs="?")
        create.add_argument("--model", help=f"a name of docs/models.md ({default_model().name}), or local-dir:PATH")
        create.add_argument("--weights", default="", metavar="PATH", help="the model's folder or its weights file")
        create.add_argument(
            "--shipped",
            nargs="?",
            choices=SHIPPED_KNOW,
            const=next(iter(SHIPPED_KNOW)),
            help="a small model that comes along (%(const)s, or the one named); activated in a new archive",
        )
        create.add_argument("--if-none", action="store_true", help="do nothing when there is a space already")
        add_adapt_arguments(verbs.add_parser("adapt", help="a new space, trained on this archive's own captions"))

    def add_verbs(self, verbs: Any) -> None:
        """Of rooms above."""

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["verb"]
        if name != "fetch":  # which needs no database, and runs where there is none
            self.check()
        try:
            if name in LIFE:
                self.stdout.write(LIFE[name].run(options))
            else:
                getattr(self, f"do_{name}")(options)
        except REFUSALS as error:
            raise CommandError(str(error)) from error
        except IntegrityError as error:
            raise CommandError("There is a space of that name, or another one is being filled.") from error

    def do_create(self, options: dict[str, Any]) -> None:
        if options["if_none"] and Space.objects.exists():
            return
        if options["shipped"]:
            space = make_shipped_space(options["shipped"], options["slug"] or "")
            if not Space.objects.active():
                activate(space, even_if_partial=True)
        elif options["slug"]:
            model = options["model"] or default_model().name
            space_fetch.get_weights(model, options["weights"], self.stderr.write)
            space = make_space(options["slug"], model, options["weights"])
        else:
            raise CommandError("Name the space (and its --model, or --weights), or ask for --shipped.")
        if said := space_fetch.about_weights(space):
            self.stderr.write(said)
        self.stdout.write(f"{space.slug}: {space.model}, {space.dimensions} numbers, {space.get_state_display()}")

    def do_adapt(self, options: dict[str, Any]) -> None:
        parent = find_live(options["parent"]) if options["parent"] else None
        adapt(parent, options, self.stdout, self.stderr)

    def do_fetch(self, options: dict[str, Any]) -> None:
        self.stdout.write(space_fetch.fetch_model(options))

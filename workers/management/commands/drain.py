"""`manage.py drain`: do the waiting work here and now, without Redis and without workers."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from archive.models import Space, Work, WorkState
from workers.batches import drain_batches
from workers.claims import reap
from workers.encode import drain_encode
from workers.encoders.load import refusal_of
from workers.play import drain_play
from workers.prepare import drain_prepare
from workers.upkeep import look_after_spaces


class Command(BaseCommand):
    help = "Prepare, encode and act on what waits, in this process: for emergencies, small machines and tests."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="one round of at most a minute")

    def handle(self, *args: Any, **options: Any) -> None:
        reap()
        budget = 60.0 if options["once"] else float("inf")
        drain_prepare(budget)
        drain_encode(budget)
        drain_play(budget)
        drain_batches(budget)
        look_after_spaces()
        left = Work.objects.filter(state=WorkState.READY).count()
        aside = Work.objects.filter(state=WorkState.QUARANTINED).count()
        self.stdout.write(f"{left} waiting, {aside} set aside")
        refused = [said for space in Space.objects.live() if (said := refusal_of(space))]
        if refused:
            raise CommandError("Nothing was claimed for a space whose encoder is not here.\n" + "\n".join(refused))

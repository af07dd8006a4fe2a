"""Makes the films of the demo: they become a collection."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from workers.filming.sample import write_films


class Command(BaseCommand):
    help = "Makes short films of the sample's photographs and drawn scenes in FOLDER."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="FOLDER")

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        try:
            written = [path.name for path in write_films(folder)]
        except OSError as error:
            raise CommandError(f"The films could not be written to {folder}: {error.strerror}.") from error
        if options["verbosity"]:
            self.stdout.write(f"{len(written)} films made in {folder} ({', '.join(written)}).")

"""Draws the sample pictures of the demo: four folders that become four collections."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from workers.scenes.sample import THEMES, write_sample


class Command(BaseCommand):
    help = "Draws sample pictures into sub-folders of FOLDER, one for each collection."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="FOLDER")
        parser.add_argument("--count", type=int, default=160, help="number of pictures (default: 160)")
        parser.add_argument("--seed", type=int, default=7, help="another seed draws other pictures")

    def handle(self, *args: Any, folder: Path, count: int, seed: int, **options: Any) -> None:
        if count < 1:
            raise CommandError("--count must be at least 1.")
        try:
            written = sum(1 for _ in write_sample(folder, count=count, seed=seed))
        except OSError as error:
            raise CommandError(f"The sample could not be written to {folder}: {error.strerror}.") from error
        if options["verbosity"]:
            names = ", ".join(theme.folder for theme in THEMES)
            self.stdout.write(f"{written} pictures drawn into {folder} ({names}).")

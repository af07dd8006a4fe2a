"""`manage.py ingest`: files and folders into the archive."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.text import slugify
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from archive.acting import NobodyToActFor, acting_as
from archive.bulk_ingest import Tally, ingest_files
from archive.folders import NotTaken, count, walk
from archive.management.films_bar import FilmsBar
from archive.models import Collection
from archive.models.assets import may_upload_to
from archive.patience import wait_for
from archive.shelves import get_collection

DEFAULT = "inbox"
PATIENCE = 30.0
NOBODY_WORKS = (
    "Nothing has moved for {seconds:.0f} seconds and no worker is at it. Start the workers (`manage.py up` starts "
    "all), or do their work here with `manage.py drain`. The files are safe: Ctrl-C ends the waiting only."
)


class Command(BaseCommand):
    help = "Take files and folders into the archive. What it has already is found by content and not stored twice."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files, and folders with all they hold")
        parser.add_argument("--collection", default=DEFAULT, metavar="SLUG", help=f"made when missing ({DEFAULT})")
        parser.add_argument("--user", metavar="NAME", help="who uploads, and owns a new collection (a superuser)")
        parser.add_argument("--wait", action="store_true", help="until every picture can be searched, or has failed")
        parser.add_argument("--json", action="store_true", help="the outcome as JSON, on standard output")

    def handle(self, *, paths: list[Path], wait: bool, **options: Any) -> None:
        try:
            uploader = acting_as(options["user"])
        except NobodyToActFor as error:
            raise CommandError(str(error)) from None
        collection = find_collection(options["collection"], uploader)
        self.console = Console(stderr=True, soft_wrap=True)
        tally, stopped = Tally(), False
        try:
            with self.progress() as progress:
                self.take_in(paths, collection, uploader, tally, progress)
                if wait:
                    self.wait(tally, progress)
        except KeyboardInterrupt:
            stopped = True
        self.report(tally, as_json=options["json"])
        if stopped:
            raise CommandError("Stopped. What is counted above is in; call it again to go on.", returncode=130)
        if tally.failed:
            raise CommandError(f"{len(tally.failed)} of {tally.files} were not taken in.")

    def progress(self) -> Progress:
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )

    def take_in(
        self, paths: list[Path], collection: Collection, uploader: User, tally: Tally, progress: Progress
    ) -> None:
        total = None if progress.disable else count(paths)
        bar = progress.add_task(f"into {collection.slug}", total=total, rate="")
        for _ in ingest_files(walk(paths), collection, uploader, tally):
            advance(progress, bar, tally.files)

    def wait(self, tally: Tally, progress: Progress) -> None:
        bar = progress.add_task("preparing", total=len(tally.paths), rate="")
        films, patience = FilmsBar(progress), PATIENCE
        for waiting in wait_for(tally.paths):
            films.look(waiting.left)
            advance(progress, bar, len(tally.paths) - len(waiting.left))
            if waiting.still >= patience:
                self.console.print(NOBODY_WORKS.format(seconds=waiting.still), style="yellow", highlight=False)
                patience = waiting.still + 2 * PATIENCE
            elif waiting.still < PATIENCE:
                patience = PATIENCE
        tally.failed += [NotTaken(tally.paths[pk], error) for pk, error in waiting.failed.items()]

    def report(self, tally: Tally, *, as_json: bool) -> None:
        if as_json:
            failed = [{"path": shown(one.path), "error": one.error} for one in tally.failed]
            outcome = {"new": tally.new, "duplicate": tally.duplicate, "failed": failed, "assets": tally.assets}
            self.stdout.write(json.dumps(outcome))
            return
        for one in tally.failed:
            self.stderr.write(f"{shown(one.path)}: {one.error}")
        self.stdout.write(f"{tally.new} new, {tally.duplicate} known before, {len(tally.failed)} failed")


def advance(progress: Progress, bar: TaskID, completed: int) -> None:
    if not progress.disable:
        speed = progress.tasks[bar].speed
        progress.update(bar, completed=completed, rate=f"{speed:.0f}/s" if speed else "")


def shown(path: Path) -> str:
    """A path for people: bytes of the file system that are no text are marked as such."""
    return os.fsencode(path).decode(errors="replace")


def find_collection(slug: str, uploader: User) -> Collection:
    try:
        Collection._meta.get_field("slug").run_validators(slug)
    except ValidationError:
        better = slugify(slug)[:80] or DEFAULT
        raise CommandError(f"{slug!r} is no address of a collection. Try --collection {better}") from None
    found = get_collection(slug, uploader)
    if not may_upload_to(uploader).filter(pk=found.pk).exists():
        raise CommandError(f"{uploader} may not upload to {slug}. Ask {found.owner}, who owns it.")
    return found

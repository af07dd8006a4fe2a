"""`manage.py demo`: a sample archive to look around in, and the people of the documentation."""

import shutil
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from archive.bundled.folders import DataFolder
from archive.people import make_first_log_in
from archive.sample import Shown, get_sample_collection, photograph_folders, wait_until_searchable


class Command(BaseCommand):
    help = "Bring photographs, drawn scenes and films in collections, with alice, bob and visitor. Does nothing twice."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--count", type=int, default=60, help="drawn scenes beside the photographs (60)")

    def handle(self, *, count: int, **options: Any) -> None:
        done = DataFolder(settings.SIGHTLINE_DATA).sample_is_searchable
        if done.exists():
            self.stdout.write("The sample was brought before; nothing to do.")
            return
        make_first_log_in()
        for photographs in photograph_folders():
            collection = get_sample_collection(photographs.name, Shown.PHOTOGRAPHS)
            call_command("ingest", str(photographs), collection=collection.slug)
        # Below the data folder, so that what a killed start leaves is found and used up by the next.
        folder = settings.SIGHTLINE_DATA / "sample"
        shutil.rmtree(folder, ignore_errors=True)
        call_command("draw_sample", str(folder / "drawn"), count=count)
        for scenes in sorted(path for path in (folder / "drawn").iterdir() if path.is_dir()):
            collection = get_sample_collection(scenes.name, Shown.DRAWN)
            call_command("ingest", str(scenes), collection=collection.slug)
        call_command("make_films", str(folder / "films"))
        call_command("ingest", str(folder / "films"), collection=get_sample_collection("films", Shown.FILMS).slug)
        shutil.rmtree(folder)
        if wait_until_searchable(at_most=170):
            done.touch()

"""`manage.py evaluate`: how much is found, by the shipped models and by this archive's; with --videos, in films."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import OperationalError

from archive.models import Space
from search.management.evaluate_videos import FILMS, SEED, evaluate_videos
from search.management.evaluate_zero_shot import as_text, in_words, measure_thumbs, measure_zero_shot, open_models


class Command(BaseCommand):
    help = (
        "Zero-shot accuracy of the shipped models on pictures that no training saw, by the label's name alone, in "
        "one template and in the mean of several; a word that they do not know, before and after twenty thumbs; then "
        "what `space evaluate` finds of the live spaces, where there are any. With --videos: ways to pool the frames "
        "of a video, compared on films made for it."
    )
    requires_system_checks: list[str] = []  # the shipped models are measured without a database, too

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--model", metavar="NAME", help="only this shipped model, and nothing of the archive")
        parser.add_argument("--scenes", type=int, default=300, metavar="N", help="so many drawn scenes (300)")
        parser.add_argument(
            "--stamps", type=Path, metavar="FOLDER", help="the stamps of Tux Paint, with their photographs"
        )
        parser.add_argument("--videos", action="store_true", help="compare ways to pool frames, on made films")
        parser.add_argument("--films", type=int, default=FILMS, metavar="N", help=f"so many ({FILMS})")
        parser.add_argument("--seed", type=int, default=SEED, metavar="N", help="another seed makes other films")
        parser.add_argument("--space", metavar="SLUG", help="films: by the encoder of a live space")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        as_json = options["json"]
        if options["videos"]:
            self.stdout.write(evaluate_videos(options["films"], options["seed"], options["space"], as_json=as_json))
            return
        models = open_models(options["model"])
        rows = measure_zero_shot(models, options["scenes"], options["stamps"])
        lessons = measure_thumbs(models)
        spaces = None if options["model"] or not _live_spaces() else _evaluate_spaces(as_json=as_json)
        if as_json:
            found = json.loads(spaces)["spaces"] if spaces else []
            whole = {"zero_shot": rows, "thumbs": lessons, "spaces": found}
            self.stdout.write(json.dumps(whole))
        else:
            self.stdout.write("\n\n".join([as_text(rows), in_words(lessons), *([spaces] if spaces else [])]))


def _live_spaces() -> bool:
    try:
        return Space.objects.live().exists()
    except OperationalError:  # nothing is started
        return False


def _evaluate_spaces(*, as_json: bool) -> str:
    out = StringIO()
    call_command("space", "evaluate", json=as_json, stdout=out)
    return out.getvalue().rstrip()

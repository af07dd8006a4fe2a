"""`manage.py duplicates fill|compare`: near-duplicates here and now. The workers do both by themselves."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from archive.fingerprints import fill_missing
from search.comparing import compare_new, forget_comparisons


class Command(BaseCommand):
    help = "Near-duplicates: make missing fingerprints, compare new assets with all others."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        fill = verbs.add_parser("fill", help="fingerprints that are missing, from the stored renditions")
        compare = verbs.add_parser("compare", help="what was not compared yet")
        compare.add_argument("--again", action="store_true", help="everything, as after a change of the model")
        for verb in (fill, compare):
            verb.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")

    def handle(self, *, verb: str, seconds: float, **options: Any) -> None:
        getattr(self, f"do_{verb}")(seconds, options)

    def do_fill(self, seconds: float, options: dict[str, Any]) -> None:
        left = fill_missing(seconds)
        self.stdout.write("more are missing" if left else "none is missing, or uploads that wait go first")

    def do_compare(self, seconds: float, options: dict[str, Any]) -> None:
        if options["again"]:
            forget_comparisons()
        done = compare_new(seconds)
        self.stdout.write(f"{done.assets} compared, {done.pairs} pairs found")

"""`manage.py alerts run`: compare what is new, and tell people of it. The workers do it by themselves."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from archive import dispatch
from search.alerts_hooks import deliver, forget_deliveries
from search.alerts_mail import send_digests
from search.alerts_matching import forget_owed, match_new


class Command(BaseCommand):
    help = "Alerts on saved searches: compare new assets, call webhooks, send digests."

    def add_arguments(self, parser: ArgumentParser) -> None:
        run = parser.add_subparsers(dest="verb", required=True).add_parser("run", help="all that is due")
        run.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")

    def handle(self, *, seconds: float, **options: Any) -> None:
        done = match_new(seconds)
        called, mailed = deliver(seconds), send_digests(seconds)
        forget_deliveries()
        forget_owed()
        if done.more:
            dispatch.alert()
        self.stdout.write(f"{done.assets} compared, {done.matches} found, {called} calls and {mailed} digests sent")

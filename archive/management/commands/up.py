"""`manage.py up`: everything on one machine."""

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from archive.bundled.errors import BundledError
from archive.bundled.folders import make_data_folder
from archive.bundled.launch import prepare, run
from archive.bundled.lock import check_free
from archive.bundled.port import check_address
from archive.bundled.services import running_services
from archive.bundled.terminal import say


class Command(BaseCommand):
    help = (
        "Run Sightline on this machine: Postgres with pgvector and Valkey (unless DATABASE_URL and "
        "REDIS_URL name others), web, workers and beat. Ctrl-C stops all of them."
    )
    requires_system_checks = ()  # before the first start there is no database to check

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (8000)")
        parser.add_argument("--demo", action="store_true", help="bring sample pictures, once")

    def handle(self, *, host: str, port: int, demo: bool, **options: Any) -> None:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _leave)
        console = Console(stderr=True)
        data: Path = settings.SIGHTLINE_DATA
        if os.geteuid() == 0:
            say(console, "up", "running as root; an ordinary user is enough, and safer", "yellow")
        try:
            check_free(make_data_folder(data).lock)
            check_address(host, port)
            with running_services(data) as running:
                prepare(console)
                run(
                    running,
                    host=host,
                    port=port,
                    data=data,
                    demo=demo,
                    console=console,
                    announce=self.announce,
                )
        except BundledError as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            sys.exit(0)
        console.print("stopped", style="dim")

    def announce(self, url: str) -> None:
        self.stdout.write(f"ready {url}")
        for file in sorted((settings.SIGHTLINE_DATA / "secrets").glob("log-in-*")):
            name = file.name.removeprefix("log-in-")
            self.stdout.write(f"log in as {name} with the password {file.read_text().strip()}")
        self.stdout.flush()


def _leave(number: int, frame: FrameType | None) -> None:
    """Until the supervisor takes over: leave in order, so that the servers are stopped on the way."""
    raise SystemExit(0)

"""`manage.py prepare`: what must be done before the processes start; repeating it changes nothing."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connection

from archive.people import CURATOR, make_first_log_in
from archive.static_files import collect_if_changed


class Command(BaseCommand):
    help = "Migrate, create the shipped embedding space, collect static files, and make the first log-in."
    requires_system_checks = ()  # migrate checks, with the database

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--log-in", action="store_true", help=f"make {CURATOR}, if there is nobody yet")

    def handle(self, *, log_in: bool, verbosity: int, **options: Any) -> None:
        quieter = max(0, verbosity - 1)
        try:
            connection.ensure_connection()
        except OperationalError as error:
            raise CommandError(f"Postgres does not answer; is DATABASE_URL right? {error}") from None
        call_command("migrate", interactive=False, verbosity=quieter)
        call_command("space", "create", "--shipped", "--if-none")
        collect_if_changed()
        if log_in:
            make_first_log_in()

"""`manage.py doctor`: is all well?"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from archive.doctor.findings import Finding
from archive.doctor.rounds import examine


class Command(BaseCommand):
    help = "Check every invariant: files and rows, missing vectors, the index, whether work moves. Exit status 0: well."
    requires_system_checks = ()  # they are one of the checks

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--repair", action="store_true", help="make again what is missing, remove leftovers")
        parser.add_argument("--deep", action="store_true", help="read every original and compare its SHA-256")
        parser.add_argument("--json", action="store_true")

    def handle(self, *, repair: bool, deep: bool, **options: Any) -> None:
        found = []
        for finding in examine(deep=deep, repair=repair):
            found.append(finding)
            if not options["json"]:
                self.show(finding)
        bad = [finding for finding in found if not finding.ok]
        if options["json"]:
            self.stdout.write(json.dumps({"ok": not bad, "checks": [asdict(finding) for finding in found]}))
        if bad:
            raise CommandError(f"Not well: {', '.join(finding.name for finding in bad)}.")

    def show(self, finding: Finding) -> None:
        mark = self.style.SUCCESS("well ") if finding.ok else self.style.ERROR("wrong")
        self.stdout.write(f"{mark} {finding.name:14} {finding.detail}")

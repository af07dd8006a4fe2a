#!/usr/bin/env python
"""The command line: `python manage.py up`, `ingest`, `search`, `doctor`, ... (`help` lists them all)."""

import os
import sys

from django.core.management import execute_from_command_line

from archive.environment import BadValue

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "archive.settings")
    try:
        execute_from_command_line(sys.argv)
    except BadValue as error:
        sys.exit(str(error))

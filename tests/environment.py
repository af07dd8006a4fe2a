"""Starts Postgres and Valkey and sets up Django, on import: conftest imports this before any model."""

import os
from contextlib import ExitStack

import django

from tests.services import session_services

services = ExitStack()
connections = services.enter_context(session_services())

os.environ["DJANGO_SETTINGS_MODULE"] = "archive.settings"
os.environ["SECRET_KEY"] = connections.secret_key
os.environ.setdefault("SIGHTLINE_LEASE_SECONDS", "5")
os.environ.setdefault("SIGHTLINE_TICK_SECONDS", "2")
django.setup()

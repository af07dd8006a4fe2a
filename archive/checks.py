"""System checks: what must be true before anything runs, as sentences that say what to do."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.utils import DatabaseError, OperationalError

# 0.8.3 fixed a corruption of HNSW indexes by vacuum, 0.8.4 a graph that was not repaired.
PGVECTOR_AT_LEAST = (0, 8, 4)


@register(Tags.compatibility)
def services_are_named(**kwargs: Any) -> Sequence[CheckMessage]:
    missing = [name for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY") if not _is_set(name)]
    if not missing:
        return []
    return [
        Error(
            f"{', '.join(missing)} not set, and no bundled services were ever started in {settings.SIGHTLINE_DATA}.",
            hint="Run `python manage.py up` (it brings its own Postgres and Valkey), or set the variables.",
            id="sightline.E001",
        )
    ]


def _is_set(name: str) -> bool:
    try:
        return bool(getattr(settings, name))
    except ImproperlyConfigured:  # Django's way to say that SECRET_KEY is empty
        return False


@register(Tags.database)
def pgvector_is_recent(databases: Sequence[str] | None = None, **kwargs: Any) -> Sequence[CheckMessage]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT default_version FROM pg_available_extensions WHERE name = 'vector'")
            row = cursor.fetchone()
    except (DatabaseError, OperationalError) as error:
        return [Error(f"Postgres does not answer: {error}", id="sightline.E002")]
    version = row[0] if row else "none"
    numbers = tuple(int(n) for n in version.split(".") if n.isdigit())
    if numbers >= PGVECTOR_AT_LEAST:
        return []
    return [
        Error(
            f"pgvector {version} is too old: below 0.8.4 vacuum can corrupt an HNSW index.",
            hint="Install pgvector 0.8.4 or newer on the Postgres server, then ALTER EXTENSION vector UPDATE.",
            id="sightline.E003",
        )
    ]

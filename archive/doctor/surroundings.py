"""What the archive stands on: settings, Postgres with pgvector, migrations, Redis, the disk."""

from __future__ import annotations

import shutil

from django.core import checks
from django.core.cache import cache
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from redis.exceptions import RedisError

from archive.doctor.findings import Finding, fine, wrong
from archive.incoming import incoming_folder, room_left

DATABASE, PGVECTOR, MIGRATIONS, SETTINGS, REDIS, DISK = (
    *("postgres", "pgvector", "migrations"),
    *("settings", "redis", "disk"),
)


def look_at_database() -> Finding:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            (version,) = cursor.fetchone() or ("",)
    except (DatabaseError, InterfaceError) as error:
        return wrong(DATABASE, 1, f"Postgres does not answer: {str(error).strip()}")
    return fine(DATABASE, f"Postgres {version} answers.")


def look_at_pgvector() -> Finding:
    """Whether it is recent enough is a system check (`settings`); here, whether the database uses what is installed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.extversion, a.default_version FROM pg_available_extensions a "
            "LEFT JOIN pg_extension e ON e.extname = a.name WHERE a.name = 'vector'"
        )
        used, installed = cursor.fetchone() or (None, None)
    if used is None:
        return wrong(PGVECTOR, 1, "The database has no pgvector. Run `manage.py migrate`.")
    if used != installed:
        return wrong(PGVECTOR, 1, f"pgvector {installed} is installed, {used} used: run ALTER EXTENSION vector UPDATE.")
    return fine(PGVECTOR, f"pgvector {used}.")


def look_at_migrations() -> Finding:
    executor = MigrationExecutor(connection)
    missing = [migration for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    if not missing:
        return fine(MIGRATIONS, "All migrations are applied.")
    return wrong(MIGRATIONS, len(missing), f"{len(missing)} are not applied: run `manage.py migrate`.", missing)


def look_at_settings() -> Finding:
    found = [message for message in checks.run_checks(databases=["default"]) if message.is_serious(checks.ERROR)]
    if not found:
        return fine(SETTINGS, "Django's and Sightline's own checks pass.")
    return wrong(SETTINGS, len(found), " ".join(f"{message.msg} {message.hint or ''}".strip() for message in found))


def look_at_redis() -> Finding:
    try:
        cache.has_key("doctor")
    except (RedisError, OSError) as error:
        sentence = f"Redis does not answer, so searching by words stops and work starts late: {error}"
        return wrong(REDIS, 1, sentence)
    return fine(REDIS, "Redis answers.")


def look_at_disk() -> Finding:
    free = shutil.disk_usage(incoming_folder()).free
    if room_left(incoming_folder()) < 0:
        return wrong(DISK, 1, f"{free / 2**20:.0f} MB are free, so nothing can be uploaded. Make room.")
    return fine(DISK, f"{free / 2**30:.1f} GB are free.")

"""A database, a Redis database and a folder for a while: beside the archive's own, on the same servers.

Measurements fill them with a hundred thousand rows; nothing that people see may notice. Where nothing is
started yet, the bundled servers run for as long as it takes.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from secrets import token_urlsafe
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import psycopg
from django.conf import settings
from psycopg import sql
from redis import Redis
from redis.exceptions import RedisError

from archive.bundled.errors import BundledError
from archive.bundled.services import bundled_services

PREFIX = "sightline_scratch_"
ABANDONED = """
SELECT datname FROM pg_database d WHERE starts_with(datname, %s)
AND NOT EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.datname = d.datname)
"""


class NoScratch(Exception):
    """The servers give no room beside what they hold."""


@contextmanager
def scratch() -> Iterator[dict[str, str]]:
    """The environment of processes that work there; all of it is removed afterwards.

    A database whose owner was killed is removed by the next one. Raises `NoScratch`.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(_folder())
        database, redis = stack.enter_context(_servers(Path(folder) / "services"))
        database_url = stack.enter_context(_database(database))
        redis_url = stack.enter_context(_redis(redis))
        yield {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "SIGHTLINE_DATA": folder,
            "SIGHTLINE_MEDIA_URL": f"{folder}/media",
            "SECRET_KEY": token_urlsafe(48),
            "HF_HUB_OFFLINE": "1",
        }


@contextmanager
def _servers(folder: Path) -> Iterator[tuple[str, str]]:
    """The addresses of Postgres and Redis: the archive's own while they run, else bundled ones for now."""
    silent = _silent()
    if not silent:
        yield settings.DATABASE_URL, settings.REDIS_URL
    elif named := [name for name in silent if os.environ.get(name)]:
        raise NoScratch(f"Nothing answers at {' and '.join(named)}. Start it, or leave the variable out.")
    else:
        try:
            with bundled_services(folder) as connections:
                yield connections.database_url, connections.redis_url
        except BundledError as error:
            raise NoScratch(str(error)) from error


def _silent() -> list[str]:
    """Which of the two servers do not answer, by the names of their settings; empty ones were never started."""
    asked = {"DATABASE_URL": _ask_postgres, "REDIS_URL": _ask_redis}
    silent = []
    for name, ask in asked.items():
        try:
            if url := getattr(settings, name):
                ask(url)
                continue
        except (psycopg.OperationalError, RedisError):
            pass
        silent.append(name)
    return silent


def _ask_postgres(url: str) -> None:
    psycopg.connect(url, connect_timeout=5).close()


def _ask_redis(url: str) -> None:
    with Redis.from_url(url, socket_timeout=5) as redis:
        redis.ping()


@contextmanager
def _database(server_url: str) -> Iterator[str]:
    name = PREFIX + uuid.uuid4().hex[:12]
    try:
        with psycopg.connect(server_url, autocommit=True) as server:
            for (left,) in server.execute(ABANDONED, [PREFIX]).fetchall():
                server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(left)))
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            url = urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
            try:
                with psycopg.connect(url):  # held open, so that it does not look abandoned
                    yield url
            finally:
                server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
    except psycopg.errors.InsufficientPrivilege as error:
        raise NoScratch(
            "Measuring needs a database of its own for a while: let the role create them (ALTER ROLE ... CREATEDB)."
        ) from error


@contextmanager
def _redis(server_url: str) -> Iterator[str]:
    for number in range(15, 0, -1):
        parts = urlsplit(server_url)
        query = {**dict(parse_qsl(parts.query)), "db": str(number)}
        path = parts.path if parts.scheme == "unix" else f"/{number}"
        url = urlunsplit(parts._replace(path=path, query=urlencode(query)))
        with Redis.from_url(url, socket_timeout=5) as redis:
            if redis.dbsize():
                continue
            try:
                yield url
            finally:
                redis.flushdb()
            return
    raise NoScratch("Redis has no empty database left to measure in. Empty one of 1 to 15.")


@contextmanager
def _folder() -> Iterator[str]:
    """Below the archive's own, so that its files lie on the same disk."""
    settings.SIGHTLINE_DATA.mkdir(parents=True, exist_ok=True)
    folder = tempfile.mkdtemp(prefix="scratch-", dir=settings.SIGHTLINE_DATA)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)

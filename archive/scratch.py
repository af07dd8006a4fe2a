"""A database, a Redis database and a folder for a while: beside the archive's own, on the same servers.

Measurements fill them with a hundred thousand rows; nothing that people see may notice.
"""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import psycopg
from django.conf import settings
from psycopg import sql
from redis import Redis

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
    with _database() as database_url, _redis() as redis_url, _folder() as folder:
        yield {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "SIGHTLINE_DATA": folder,
            "SIGHTLINE_MEDIA_URL": f"{folder}/media",
            "SECRET_KEY": settings.SECRET_KEY,
            "HF_HUB_OFFLINE": "1",
        }


@contextmanager
def _database() -> Iterator[str]:
    name = PREFIX + uuid.uuid4().hex[:12]
    try:
        with psycopg.connect(settings.DATABASE_URL, autocommit=True) as server:
            for (left,) in server.execute(ABANDONED, [PREFIX]).fetchall():
                server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(left)))
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            url = urlunsplit(urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}"))
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
def _redis() -> Iterator[str]:
    for number in range(15, 0, -1):
        parts = urlsplit(settings.REDIS_URL)
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

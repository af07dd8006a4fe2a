"""Roles, database and extensions of the bundled Postgres; repeated at every start, changing nothing twice."""

from collections.abc import Callable

import psycopg
from psycopg import sql

SUPERUSER = "postgres"
ROLE = "sightline"
DATABASE = "sightline"

# In template1 too, so that test databases have them: the application's role may not create vector.
EXTENSIONS = ("vector", "pg_trgm", "unaccent")


def set_up_database(
    connection: psycopg.Connection, password: str, connect: Callable[[str], psycopg.Connection]
) -> None:
    """The application's role is no superuser (row security would not bind it); it may create databases."""
    role = sql.Identifier(ROLE)
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
        connection.execute(sql.SQL("CREATE ROLE {}").format(role))
    connection.execute(
        sql.SQL("ALTER ROLE {} LOGIN NOSUPERUSER NOCREATEROLE NOREPLICATION NOBYPASSRLS CREATEDB PASSWORD {}").format(
            role, sql.Literal(password)
        )
    )
    _set_up_extensions(connect, "template1")
    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), role))
    _set_up_extensions(connect, DATABASE)


def _set_up_extensions(connect: Callable[[str], psycopg.Connection], database: str) -> None:
    with connect(database) as connection:
        for name in EXTENSIONS:
            extension = sql.Identifier(name)
            connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(extension))
            connection.execute(sql.SQL("ALTER EXTENSION {} UPDATE").format(extension))

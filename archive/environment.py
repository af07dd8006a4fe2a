"""Variables of the environment, read as what they should be, or refused by name."""

import os
from ipaddress import ip_network
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

YES_OR_NO = (*environ.Env.BOOLEAN_TRUE_STRINGS, "false", "off", "no", "n", "0", "f", "")
MEANT = {int: "a whole number", float: "a number", bool: "true or false"}


class BadValue(ImproperlyConfigured):
    """A variable says something that makes no sense; the message is for the person who set it."""

    def __init__(self, name: str, value: str, wanted: str) -> None:
        super().__init__(f"{name} is {value!r}, but must be {wanted}. See docs/settings.md.")
        self.name = name
        self.value = value


class Environment(environ.Env):  # type: ignore[misc]  # the library is not typed
    """django-environ takes every word it does not know for false, and names no variable in its errors."""

    def get_value(self, var: str, cast: Any = None, *arguments: Any, **options: Any) -> Any:
        said = os.environ.get(var, "")
        if cast is bool and said.strip().lower() not in YES_OR_NO:
            raise BadValue(var, said, MEANT[bool])
        try:
            return super().get_value(var, cast, *arguments, **options)
        except ValueError as error:
            raise BadValue(var, said, MEANT.get(cast, "something else")) from error


def of_postgres(url: str) -> str:
    """`url` as it is. BadValue where it names another kind of database; its password stays out of the message."""
    scheme = url.partition(":")[0]
    if url and scheme not in {"postgres", "postgresql", "psql", "pgsql"}:
        raise BadValue("DATABASE_URL", f"{scheme}:...", "postgres://user:password@host/name")
    return url


def of_folder(name: str, said: str) -> str:
    """A path, or the path of a `file:///` address. BadValue for other places: nothing is kept there in silence."""
    scheme, marked, rest = said.partition("://")
    if not marked:
        return said
    if scheme.lower() == "file" and rest.startswith("/"):
        return rest
    wanted = "a folder, as a path or as file:///path (other stores, such as S3, are not supported)"
    raise BadValue(name, f"{scheme}://...", wanted)


def of_choice(name: str, said: str, choices: tuple[str, ...]) -> str:
    """`said` if it is one of `choices`, or empty. Raises BadValue."""
    if said and said not in choices:
        raise BadValue(name, said, " or ".join(choices))
    return said


def of_networks(name: str, said: list[str]) -> list[str]:
    """Networks as they were written. BadValue where one of them is none."""
    for one in said:
        try:
            ip_network(one, strict=False)
        except ValueError as error:
            raise BadValue(name, one, "networks with commas between them, such as 10.1.0.0/16") from error
    return said

"""On whose behalf a command acts."""

from __future__ import annotations

from django.contrib.auth.models import User


class NobodyToActFor(Exception):
    """No such user, or none at all; says what to do."""


def acting_as(name: str | None) -> User:
    """The user of that name; without a name the first superuser, who sees everything."""
    people = User.objects.filter(is_active=True)
    found = people.filter(username=name).first() if name else people.filter(is_superuser=True).order_by("pk").first()
    if found is not None:
        return found
    if name:
        raise NobodyToActFor(f"There is nobody named {name!r}.")
    raise NobodyToActFor("There is no superuser yet. Run `manage.py createsuperuser`, or name a user with --user.")

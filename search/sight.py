"""What a person sees, as a short name: whatever is remembered for them is forgotten when it changes."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING

from django.db import connection

from archive.models import Collection
from search.neighbours.chosen import SOMEBODY, Chosen, compile_candidates

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from archive.models.collections import Person

EVERYTHING = "everything"


def sight_of(user: Person) -> str:
    """Equal as long as the same collections are open to `user`: the version of their permissions."""
    if user.is_authenticated and user.is_superuser:
        return EVERYTHING
    return hashlib.sha256(repr((user.pk, _open_to(user) if user.is_authenticated else [])).encode()).hexdigest()[:24]


def _open_to(user: User) -> list[int]:
    chosen = _rule().of(user)
    with connection.cursor() as cursor:
        cursor.execute(chosen.sql, chosen.params)
        return sorted(pk for (pk,) in cursor.fetchall())


@cache
def _rule() -> Chosen:
    """`visible_to` for whoever is no superuser: each search begins with it, and for Django to write it down takes ten
    times as long as to ask it."""
    return compile_candidates(Collection.objects.visible_to(SOMEBODY))

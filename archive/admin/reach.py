"""Permission as Postgres can plan it: the collections named one by one beside the rule that decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import QuerySet

from archive.models import Asset, Collection
from archive.models.collections import CURATING

if TYPE_CHECKING:
    from archive.models.collections import Person

MOST_NAMED = 1000


def within_reach(assets: QuerySet[Asset], user: Person) -> QuerySet[Asset]:
    """The same assets, which `user` may see or curate anyway. An "or" of two rules is read row by row; with the
    collections beside it an index is read instead, and how much lies in them is known beforehand."""
    if user.is_authenticated and user.is_superuser:
        return assets
    named = set(Collection.objects.visible_to(user).values_list("pk", flat=True)[: MOST_NAMED + 1])
    named |= set(Collection.objects.open_to(user, CURATING).values_list("pk", flat=True)[: MOST_NAMED + 1])
    return assets.filter(collection__in=named) if len(named) <= MOST_NAMED else assets

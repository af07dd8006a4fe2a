"""Moving assets to another collection, as far as it does not hold the same pictures already."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet

from archive.models import Asset, Collection


@dataclass(frozen=True)
class Moved:
    """`assets` moved; `there_already` stayed, because the collection has an asset of the same bytes."""

    assets: tuple[int, ...]
    there_already: int

    @property
    def moved(self) -> int:
        return len(self.assets)


def move(assets: QuerySet[Asset], to: Collection) -> Moved:
    """Move `assets` to a collection, one of each content. What lies in it already is not counted."""
    try:
        return _move(assets, to)
    except IntegrityError:  # the same picture was uploaded there just now: this time it is seen
        return _move(assets, to)


@transaction.atomic
def _move(assets: QuerySet[Asset], to: Collection) -> Moved:
    _hold(to)
    elsewhere = assets.order_by().exclude(collection=to)
    chosen = dict(elsewhere.select_for_update(of=("self",)).values_list("pk", "sha256"))
    there = set(Asset.objects.filter(collection=to, sha256__in=set(chosen.values())).values_list("sha256", flat=True))
    first: dict[str, int] = {}
    for pk, sha256 in sorted(chosen.items()):
        if sha256 not in there:
            first.setdefault(sha256, pk)
    moved = tuple(first.values())
    Asset.objects.filter(pk__in=moved).update(collection=to)
    return Moved(moved, len(chosen) - len(moved))


def _hold(to: Collection) -> None:
    """Moves into one collection take turns, so that two of them cannot bring the same content."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [1, to.pk])

"""Moving assets to another collection, as far as it does not hold the same pictures already."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet

from archive.models import Asset, Collection
from archive.moderation.arrivals import watch_moved


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
    hold_collections([to.pk])
    elsewhere = assets.order_by("pk").exclude(collection=to)
    chosen = dict(elsewhere.select_for_update(of=("self",)).values_list("pk", "sha256"))
    there = set(Asset.objects.filter(collection=to, sha256__in=set(chosen.values())).values_list("sha256", flat=True))
    first: dict[str, int] = {}
    for pk, sha256 in sorted(chosen.items()):
        if sha256 not in there:
            first.setdefault(sha256, pk)
    moved = tuple(first.values())
    Asset.objects.filter(pk__in=moved).update(collection=to)
    watch_moved(moved, to)
    return Moved(moved, len(chosen) - len(moved))


def hold_collections(collections: Iterable[int]) -> None:
    """Moves into one collection take turns, so that two of them cannot bring the same content.

    Whoever locks assets in the same transaction calls this before, as `move` itself does: in the other order two
    moves would wait for each other.
    """
    with connection.cursor() as cursor:
        for pk in sorted(set(collections)):
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [1, pk])

"""Makers of what alerts look at and leave: assets that arrive, what was found in them, and calls to make."""

from __future__ import annotations

from archive.models import Alert, Asset, Collection, Delivery, Match, Space, Status
from archive.noticing import notice
from archive.vectors import read_vectors
from tests.prepared import make_encoded, random_rows


def arrive(collection: Collection, space: Space, count: int = 3, seed: int = 7) -> list[Asset]:
    """As the encode worker stores them: vectors and what watches in one go, READY afterwards."""
    assets = make_encoded(collection, space, random_rows(count, seed=seed), prefix=f"new-{seed}")
    ids = [asset.pk for asset in assets]
    Asset.objects.filter(pk__in=ids).update(status=Status.PENDING)
    notice(space, read_vectors(space, ids))
    Asset.objects.filter(pk__in=ids).update(status=Status.READY)
    return assets


def told(alert: Alert) -> list[int]:
    return sorted(Match.objects.filter(alert=alert).values_list("asset", flat=True))


def find(alert: Alert, space: Space, count: int = 3, prefix: str = "boat") -> list[Asset]:
    harbour = Collection.objects.get(slug="harbour")
    assets = make_encoded(harbour, space, random_rows(count), prefix=prefix)
    Match.objects.bulk_create(Match(alert=alert, asset=asset) for asset in assets)
    return assets


def call(alert: Alert, assets: list[Asset]) -> Delivery:
    return Delivery.objects.create(webhook=alert.webhook, assets=[asset.pk for asset in assets])

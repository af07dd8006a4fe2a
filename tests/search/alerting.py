"""Makers of what alerts look at: assets as they arrive."""

from __future__ import annotations

from archive.models import Alert, Asset, Collection, Match, Space, Status
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

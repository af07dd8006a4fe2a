"""Fingerprints of photos: made with their renditions, and for older archives from the renditions that are there."""

from __future__ import annotations

import time
from collections.abc import Sequence

from django.core.files.storage import default_storage
from django.db.models import QuerySet

from archive.models import Asset, Fingerprint, Kind, Rendition, Step, Work, WorkState
from archive.pdq import Look, as_digits, look_at
from archive.storage import store_is_there
from archive.work import retry

# What it is made from. No original is decoded for it, now or later, so both ways give the same bits.
SPEC = "encoder"
BATCH = 64


def keep_fingerprints(looks: Sequence[tuple[int, Look]]) -> None:
    """Store what assets, by their ids, look like; in the caller's transaction."""
    Fingerprint.objects.bulk_create(
        [
            Fingerprint(
                asset_id=asset, pdq=as_digits(look.bits), quality=look.quality, spread=look.spread, colours=look.colours
            )
            for asset, look in looks
        ],
        update_conflicts=True,
        unique_fields=["asset"],
        update_fields=["pdq", "quality", "spread", "colours"],
    )


def without_fingerprint() -> QuerySet[Asset]:
    """Prepared photos that have none."""
    prepared = Asset.objects.filter(work__step=Step.PREPARE, work__state=WorkState.DONE)
    return prepared.filter(kind=Kind.PHOTO, fingerprint__isnull=True).order_by()


def fill_missing(budget: float) -> bool:
    """Make what is missing for `budget` seconds; returns whether there is more.

    New uploads go first: it stops while any waits to be prepared.
    """
    until = time.monotonic() + budget
    while not Work.objects.filter(step=Step.PREPARE, state=WorkState.READY).exists():
        assets = list(without_fingerprint().values_list("pk", flat=True)[:BATCH])
        if not assets or not store_is_there():
            return False
        fill(assets)
        if time.monotonic() > until:
            return True
    return False


def fill(assets: Sequence[int]) -> None:
    """From their renditions. Where one is missing or damaged, the asset is prepared again, which makes both."""
    keys = dict(Rendition.objects.filter(asset__in=assets, spec=SPEC).values_list("asset_id", "key"))
    looks, lost = [], []
    for asset in assets:
        look = _look(keys.get(asset))
        if look is None:
            lost.append(asset)
        else:
            looks.append((asset, look))
    # An asset that was purged meanwhile has no place for a fingerprint.
    there = set(Asset.objects.filter(pk__in=[asset for asset, _ in looks]).values_list("pk", flat=True))
    keep_fingerprints([(asset, look) for asset, look in looks if asset in there])
    retry(Work.objects.filter(asset__in=lost, step=Step.PREPARE))


def _look(key: str | None) -> Look | None:
    if key is None:
        return None
    try:
        with default_storage.open(key) as file:
            return look_at(file.read())
    except Exception:  # Pillow raises many kinds on a damaged file
        return None

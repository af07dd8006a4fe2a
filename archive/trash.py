"""Trash, restore, and the end of an asset."""

from datetime import datetime, timedelta

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from archive.ingest import lock_content
from archive.models import Asset, Frame, Rendition, Work


def trash(assets: QuerySet[Asset]) -> int:
    """Out of every list and search at once; kept for SIGHTLINE_TRASH_DAYS."""
    return assets.filter(trashed_at__isnull=True).update(trashed_at=Now())


def restore(assets: QuerySet[Asset]) -> int:
    return assets.filter(trashed_at__isnull=False).update(trashed_at=None)


def trash_since(assets: QuerySet[Asset], moment: datetime) -> int:
    """As if they had lain in the trash since `moment`."""
    return assets.filter(trashed_at__isnull=True).update(trashed_at=moment)


def purge_expired() -> int:
    """Delete what has lain in the trash for longer than SIGHTLINE_TRASH_DAYS."""
    expired = Asset.objects.filter(trashed_at__lt=Now() - timedelta(days=settings.SIGHTLINE_TRASH_DAYS))
    return sum(purge(asset) for asset in expired.iterator())


def purge(asset: Asset) -> bool:
    """Delete a trashed asset for good: the row first, then the files that no other asset names.

    The content lock closes the race with an upload of the same bytes.
    """
    with transaction.atomic():
        lock_content(asset.sha256)
        # Locked, for somebody may be restoring it at this moment; its work first and in order, as workers do.
        list(Work.objects.select_for_update().filter(asset=asset.pk).order_by("pk").values_list("pk"))
        if not Asset.objects.select_for_update().filter(pk=asset.pk, trashed_at__isnull=False):
            return False
        keys = {asset.original, *asset.renditions.values_list("key", flat=True)}
        keys |= set(asset.frames.exclude(still="").values_list("still", flat=True))
        Asset.objects.filter(pk=asset.pk).delete()
        transaction.on_commit(lambda: _delete_unnamed(asset.sha256, keys), robust=True)
    return True


def _delete_unnamed(sha256: str, keys: set[str]) -> None:
    with transaction.atomic():
        lock_content(sha256)
        named = set(Asset.objects.filter(sha256=sha256).values_list("original", flat=True))
        named |= set(Rendition.objects.filter(key__in=keys).values_list("key", flat=True))
        named |= set(Frame.objects.filter(still__in=keys).values_list("still", flat=True))
        for key in keys - named:
            default_storage.delete(key)

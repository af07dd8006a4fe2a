"""What a decision leaves behind: an asset that is hidden or shown, and what the log tells of it."""

from __future__ import annotations

from archive.models import Asset, Flag, LogEntry


def hidden(asset: Asset) -> bool:
    asset.refresh_from_db()
    return asset.quarantined


def events(flag: Flag) -> list[str]:
    """The log outlives the tests: only what is about the asset of this one."""
    return list(LogEntry.objects.filter(asset=flag.asset.uuid).order_by("id").values_list("event", flat=True))

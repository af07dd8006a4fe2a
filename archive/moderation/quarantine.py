"""Quarantine follows from flags: one statement writes it where searches ask for it."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

from archive.alerts import note_released

# An asset is hidden while a flag of it is upheld, or open and hiding. `archive.readiness` says the same, and it alone
# shows what is pending: that may be held until all of it was looked at (Policy.holds_new), whatever its flags say.
SETTLE = """
UPDATE archive_asset a SET quarantined = now.hidden
FROM (
    SELECT id, EXISTS (
        SELECT FROM archive_flag f
        WHERE f.asset_id = archive_asset.id AND (f.state = 'upheld' OR (f.state = 'open' AND f.hides))
    ) AS hidden
    FROM archive_asset WHERE id = ANY(%(assets)s)
) AS now
WHERE now.id = a.id AND a.quarantined <> now.hidden AND (now.hidden OR a.status <> 'pending')
RETURNING a.id, a.quarantined
"""
HOLD = "SELECT id FROM archive_asset WHERE id = ANY(%(assets)s) ORDER BY id FOR NO KEY UPDATE"


def hold_assets(assets: Iterable[int]) -> list[int]:
    """Lock those that are still there until the transaction ends; returns them.

    Whoever writes flags calls this first, with all assets that the transaction will touch: assets before flags, and
    in the order of their ids, as `archive.readiness.settle` does. In any other order two of them would wait for
    each other.
    """
    with connection.cursor() as cursor:
        cursor.execute(HOLD, {"assets": sorted(set(assets))})
        return [asset for (asset,) in cursor.fetchall()]


def settle_quarantine(assets: Iterable[int]) -> int:
    """Hide and release what its flags say; returns how many changed. The assets are held by the caller.

    What is not ready yet is released with the last of its work.
    """
    with connection.cursor() as cursor:
        cursor.execute(SETTLE, {"assets": sorted(set(assets))})
        changed = cursor.fetchall()
    note_released(asset for asset, hidden in changed if not hidden)
    return len(changed)

"""Quarantine follows from flags: one statement writes it where searches ask for it."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

from archive.alerts import note_released

# An asset is hidden while a flag of it is upheld, or open and hiding. `archive.readiness` says the same. A video comes
# in parts: what its first ones raised, or people said of them, shows none that is held until all was looked at.
SETTLE = """
UPDATE archive_asset a SET quarantined = now.hidden
FROM (
    SELECT id, EXISTS (
        SELECT FROM archive_flag f
        WHERE f.asset_id = archive_asset.id AND (f.state = 'upheld' OR (f.state = 'open' AND f.hides))
    ) AS hidden
    FROM archive_asset WHERE id = ANY(%(assets)s)
) AS now
WHERE now.id = a.id AND a.quarantined <> now.hidden
  AND (now.hidden OR a.kind <> 'video' OR a.status <> 'pending' OR NOT EXISTS (
    SELECT FROM archive_policy p WHERE p.is_on AND p.holds_new AND (p.everywhere OR EXISTS (
        SELECT FROM archive_policy_collections c WHERE c.policy_id = p.id AND c.collection_id = a.collection_id
    ))
  ))
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
    """Hide and release what its flags say; returns how many changed. The assets are held by the caller."""
    with connection.cursor() as cursor:
        cursor.execute(SETTLE, {"assets": sorted(set(assets))})
        changed = cursor.fetchall()
    note_released(asset for asset, hidden in changed if not hidden)
    return len(changed)

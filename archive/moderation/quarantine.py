"""Quarantine follows from flags: one statement writes it where searches ask for it."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

from archive.alerts import note_released

# Of an asset `a`: a flag of it is upheld, or open and hiding.
HIDDEN = """EXISTS (
    SELECT FROM archive_flag f WHERE f.asset_id = a.id AND (f.state = 'upheld' OR (f.state = 'open' AND f.hides))
)"""
# Only `archive.readiness` shows what is pending: that may be held until all of it was looked at (Policy.holds_new),
# whatever its flags say.
SETTLE = f"""
UPDATE archive_asset asset SET quarantined = now.hidden
FROM (SELECT a.id, {HIDDEN} AS hidden FROM archive_asset a WHERE a.id = ANY(%(assets)s)) AS now
WHERE now.id = asset.id AND asset.quarantined <> now.hidden AND (now.hidden OR asset.status <> 'pending')
RETURNING asset.id, asset.quarantined
"""  # noqa: S608
# Two steps of one asset may end at the same moment, two people judge it. Without taking turns each would see the other
# as running. A statement of its own: the next one must see what the others committed meanwhile.
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

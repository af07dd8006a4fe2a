"""When an asset is ready: its status follows from its work."""

from collections.abc import Iterable

from django.db import connection, transaction

from archive.moderation.quarantine import HIDDEN, hold_assets, settle_quarantine
from archive.moderation.unseen import flag_unseen

# What was held until somebody or something had looked at it (Policy.holds_new) is shown now, unless a flag hides it.
# What failed was never looked at to its end, and its file is there all the same: it stays held, and people look.
# Only the searched space holds an asset back; a space that is being filled does not. What only a player needs is
# waited for, but a video that cannot be made playable is found all the same.
SETTLE = f"""
WITH needed AS (
    SELECT w.asset_id,
           bool_or(w.step <> 'play' AND w.state IN ('quarantined', 'cancelled')) AS failed,
           bool_and(w.state = 'done' OR w.step = 'play' AND w.state IN ('quarantined', 'cancelled')) AS done,
           max(w.last_error) FILTER (WHERE w.step <> 'play' AND w.state IN ('quarantined', 'cancelled')) AS error
    FROM archive_work w
    WHERE w.asset_id = ANY(%(assets)s)
      AND (w.step <> 'encode' OR w.target = (SELECT slug FROM archive_space WHERE state = 'active'))
    GROUP BY w.asset_id
)
UPDATE archive_asset a
SET status = CASE WHEN n.failed THEN 'failed' WHEN n.done THEN 'ready' ELSE 'pending' END,
    error = CASE WHEN n.failed THEN coalesce(n.error, '') ELSE '' END,
    quarantined = CASE WHEN n.done THEN {HIDDEN} ELSE a.quarantined END
FROM needed n WHERE a.id = n.asset_id
RETURNING a.id, a.status = 'failed' AND a.quarantined
"""  # noqa: S608


def settle(assets: Iterable[int]) -> None:
    """Write each asset's status from the states of its work, in the caller's transaction."""
    ids = sorted(set(assets))
    if ids:
        with transaction.atomic(), connection.cursor() as cursor:
            hold_assets(ids)
            cursor.execute(SETTLE, {"assets": ids})
            unseen = [asset for asset, held in cursor.fetchall() if held]
            if unseen:
                flag_unseen(unseen)
                settle_quarantine(unseen)

"""When an asset is ready: its status follows from its work."""

from collections.abc import Iterable

from django.db import connection, transaction

from archive.moderation.quarantine import HIDDEN, hold_assets, settle_quarantine
from archive.moderation.unseen import flag_unseen

# What was held until somebody or something had looked at it (Policy.holds_new) is shown now, unless a flag hides it.
# What failed was never looked at to its end, and its file is there all the same: it stays held, and people look.
# Only the searched space holds an asset back; a space that is being filled does not. What only a player needs is
# waited for, but a video that cannot be made playable is found all the same.
# What is READY stays so while its work is done again: its old renditions and vectors serve meanwhile, and where a new
# vector cannot be made the old one does. Only an original that can no longer be read takes it out.
SETTLE = f"""
WITH needed AS (
    SELECT w.asset_id,
           bool_or(w.step <> 'play' AND w.state IN ('quarantined', 'cancelled')) AS failed,
           bool_and(w.state = 'done' OR w.step = 'play' AND w.state IN ('quarantined', 'cancelled')) AS done,
           bool_or(w.step = 'prepare' AND w.state = 'quarantined') AS lost,
           max(w.last_error) FILTER (WHERE w.step <> 'play' AND w.state IN ('quarantined', 'cancelled')) AS error
    FROM archive_work w
    WHERE w.asset_id = ANY(%(assets)s)
      AND (w.step <> 'encode' OR w.target = (SELECT slug FROM archive_space WHERE state = 'active'))
    GROUP BY w.asset_id
), judged AS (
    SELECT n.asset_id, n.done, n.error,
           n.lost OR n.failed AND NOT (a.status = 'ready' AND EXISTS (
               SELECT FROM archive_embedding e
               WHERE e.asset_id = a.id AND e.space_id = (SELECT id FROM archive_space WHERE state = 'active')
           )) AS failed
    FROM needed n JOIN archive_asset a ON a.id = n.asset_id
)
UPDATE archive_asset a
SET status = CASE WHEN n.failed THEN 'failed' WHEN n.done OR a.status = 'ready' THEN 'ready' ELSE 'pending' END,
    error = CASE WHEN n.failed THEN coalesce(n.error, '') ELSE '' END,
    quarantined = CASE WHEN n.done THEN {HIDDEN} ELSE a.quarantined END
FROM judged n WHERE a.id = n.asset_id
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

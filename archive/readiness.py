"""When an asset is ready: its status follows from its work."""

from collections.abc import Iterable

from django.db import connection, transaction

# Two steps of one asset may end at the same moment. Without taking turns each would see the other as
# running, and the asset would stay pending with all its work done. A statement of its own: the next
# one must see what the others committed meanwhile.
TAKE_TURNS = "SELECT id FROM archive_asset WHERE id = ANY(%(assets)s) ORDER BY id FOR NO KEY UPDATE"
# Only the searched space holds an asset back; a space that is being filled does not. What only a player needs is
# waited for, but a video that cannot be made playable is found all the same.
SETTLE = """
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
    error = CASE WHEN n.failed THEN coalesce(n.error, '') ELSE '' END
FROM needed n WHERE a.id = n.asset_id
"""


def settle(assets: Iterable[int]) -> None:
    """Write each asset's status from the states of its work, in the caller's transaction."""
    ids = sorted(set(assets))
    if ids:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(TAKE_TURNS, {"assets": ids})
            cursor.execute(SETTLE, {"assets": ids})

"""Noticing: what looks at new vectors, in the transaction that stores them.

So nothing is ever seen before it was looked at: an asset that has to be hidden is hidden when its vectors
become visible, and a crash leaves neither.
"""

from __future__ import annotations

from collections.abc import Callable

from archive.alerts import note_arrivals
from archive.concepts.watching import watch_concepts
from archive.models import Space
from archive.moderation.quarantine import hold_assets
from archive.vectors import Rows

Watcher = Callable[[Space, Rows], None]

WATCHERS: tuple[Watcher, ...] = (watch_concepts, note_arrivals)
"""Each gets the space and the new rows (vectors (n, 768), with the frame and the asset of each). They must be
quick, write in the caller's transaction, and expect to be shown the same rows again."""


def notice(space: Space, rows: Rows) -> None:
    """Show the new vectors to everyone who watches.

    All their assets are held from here on, in the order of ids: each watcher locks the few that it found something in,
    and the caller all of them at the end. Whoever notices twice in a transaction holds the assets of both before.
    """
    if rows.assets:
        hold_assets(rows.assets)
        for watch in WATCHERS:
            watch(space, rows)

"""Into the trash."""

from __future__ import annotations

from typing import Any

from archive import trash as bin
from archive.deeds.deed import Deed, Outcome, chosen
from archive.models import Asset, Batch

SINCE = "Somebody put it back, or away again, since."


class Trashing(Deed):
    def apply(self, batch: Batch, assets: list[Asset]) -> Outcome:
        bin.trash(chosen(assets))
        moments = chosen(assets).values_list("pk", "trashed_at")
        return Outcome({pk: {"at": at.isoformat()} for pk, at in moments if at})

    def undo(self, batch: Batch, before: dict[int, Any]) -> Outcome:
        """What lies there since another moment was put there by somebody else."""
        moments = dict(chosen(before).values_list("pk", "trashed_at"))
        ours = {pk: None for pk, was in before.items() if (at := moments.get(pk)) and at.isoformat() == was["at"]}
        bin.restore(chosen(ours))
        return Outcome(ours, {pk: SINCE for pk in before if pk not in ours})

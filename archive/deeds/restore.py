"""Out of the trash."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet

from archive import trash as bin
from archive.deeds.deed import NOT_YOURS, Deed, Outcome, chosen
from archive.models import Asset, Batch

if TYPE_CHECKING:
    from django.contrib.auth.models import User

BACK = "It is not in the trash any more."
AGAIN = "Somebody put it into the trash again since."


class Restoring(Deed):
    def open_to(self, user: User) -> QuerySet[Asset]:
        return Asset.objects.curated_by(user).filter(trashed_at__isnull=False)

    def why_not(self, assets: Iterable[Asset], user: User) -> dict[int, str]:
        return {pk: NOT_YOURS if why == NOT_YOURS else BACK for pk, why in super().why_not(assets, user).items()}

    def apply(self, batch: Batch, assets: list[Asset]) -> Outcome:
        before = {asset.pk: {"at": asset.trashed_at.isoformat()} for asset in assets if asset.trashed_at}
        bin.restore(chosen(assets))
        return Outcome(dict(before))

    def undo(self, batch: Batch, before: dict[int, Any]) -> Outcome:
        """Back to the trash since the moment they had lain there: their weeks do not begin again."""
        out = set(chosen(before).filter(trashed_at__isnull=True).values_list("pk", flat=True))
        by_moment: dict[str, list[int]] = defaultdict(list)
        for pk in out:
            by_moment[before[pk]["at"]].append(pk)
        for at, pks in by_moment.items():
            bin.trash_since(chosen(pks), datetime.fromisoformat(at))
        return Outcome(dict.fromkeys(out), {pk: AGAIN for pk in before if pk not in out})

"""Work that is done once more: vectors made anew, failures tried again. What is ordered is not taken back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet

from archive.deeds.deed import TRASHED, Deed, Outcome, chosen
from archive.models import Asset, Batch, Step, Work, WorkState
from archive.work import encode_again, retry_assets

if TYPE_CHECKING:
    from django.contrib.auth.models import User

UNDER_WAY = "Its work was ordered already, and is done all the same."
UNREAD = "It could not be read yet."
WELL = "Nothing of it is set aside or skipped any more."


class Redoing(Deed):
    def hold_first(self, assets: Sequence[int]) -> None:
        """Their work, in the order of those who encode and prepare: else each would wait for the other."""
        list(Work.objects.select_for_update().filter(asset__in=assets).order_by("pk").values_list("pk"))

    def undo(self, batch: Batch, before: dict[int, Any]) -> Outcome:
        return Outcome({}, dict.fromkeys(before, UNDER_WAY))

    def _why_not(self, assets: Iterable[Asset], user: User, why: str) -> dict[int, str]:
        """As others, but for what is neither in the trash nor somebody else's."""
        assets = list(assets)
        kept = {asset.pk for asset in assets if asset.trashed_at is None}
        found = super().why_not(assets, user)
        return {pk: why if said == TRASHED and pk in kept else said for pk, said in found.items()}


class EncodingAgain(Redoing):
    def open_to(self, user: User) -> QuerySet[Asset]:
        read = Work.objects.filter(step=Step.PREPARE, state=WorkState.DONE).order_by().values("asset")
        return super().open_to(user).filter(pk__in=read)

    def why_not(self, assets: Iterable[Asset], user: User) -> dict[int, str]:
        return self._why_not(assets, user, UNREAD)

    def apply(self, batch: Batch, assets: list[Asset]) -> Outcome:
        encode_again(chosen(assets))
        return Outcome({asset.pk: {} for asset in assets})


class Retrying(Redoing):
    def open_to(self, user: User) -> QuerySet[Asset]:
        failed = Work.objects.filter(state__in=(WorkState.QUARANTINED, WorkState.CANCELLED))
        return super().open_to(user).filter(pk__in=failed.order_by().values("asset"))

    def why_not(self, assets: Iterable[Asset], user: User) -> dict[int, str]:
        return self._why_not(assets, user, WELL)

    def apply(self, batch: Batch, assets: list[Asset]) -> Outcome:
        retry_assets(assets)
        return Outcome({asset.pk: {} for asset in assets})

"""Put tags on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from archive.deeds.deed import Deed, Outcome, Refused, chosen
from archive.models import Asset, Batch
from archive.tag_names import BadTag, clean_names, refuse_prohibited
from archive.tags import Changes, add_tags, get_concepts, put_back

if TYPE_CHECKING:
    from django.contrib.auth.models import User

CHANGED_SINCE = "Somebody changed its tags since."


class Tagging(Deed):
    def read(self, arguments: dict[str, Any], user: User) -> dict[str, Any]:
        try:
            names = clean_names(arguments.get("tags") or [])
            self.check(names)
        except BadTag as error:
            raise Refused(str(error), "tags") from error
        if not names:
            raise Refused("Name at least one tag.", "tags")
        return {"tags": names}

    def check(self, names: list[str]) -> None:
        """Raises `BadTag`."""
        refuse_prohibited(names)

    def hold(self, batch: Batch, before: Iterable[Any] | None) -> None:
        """New tags are made before assets are held, as everywhere."""
        if before is None:
            get_concepts(batch.arguments["tags"], batch.owner)

    def apply(self, batch: Batch, assets: list[Asset]) -> Outcome:
        changes = self._change(batch, assets)
        left = {asset.pk: self.nothing_to_do(batch) for asset in assets if asset.pk not in changes}
        return Outcome(dict(changes), left)

    def _change(self, batch: Batch, assets: list[Asset]) -> Changes:
        try:
            return add_tags(chosen(assets), batch.arguments["tags"], batch.owner)
        except BadTag as error:  # prohibited since it was asked for
            raise Refused(str(error)) from error

    def nothing_to_do(self, batch: Batch) -> str:
        return "It is tagged so already."

    def undo(self, batch: Batch, before: dict[int, Any]) -> Outcome:
        whole = put_back(before)
        return Outcome(
            {asset: None for asset in before if asset in whole},
            {asset: CHANGED_SINCE for asset in before if asset not in whole},
        )

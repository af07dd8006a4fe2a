"""Take tags off."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from archive.deeds.deed import chosen
from archive.deeds.tag import Tagging
from archive.models import Asset, Batch
from archive.tags import Changes, remove_tags


class Untagging(Tagging):
    def check(self, names: list[str]) -> None:
        """Nothing: what is no tag is on no picture."""

    def hold(self, batch: Batch, before: Iterable[Any] | None) -> None:
        """Nothing: no tag is made."""

    def _change(self, batch: Batch, assets: list[Asset]) -> Changes:
        return remove_tags(chosen(assets), batch.arguments["tags"], batch.owner)

    def nothing_to_do(self, batch: Batch) -> str:
        return "It is not tagged so."

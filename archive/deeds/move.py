"""Into another collection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from archive.deeds.deed import Deed, Outcome, Refused, chosen
from archive.models import Asset, Batch, Collection
from archive.models.collections import CURATING
from archive.moving import hold_collections, move

if TYPE_CHECKING:
    from django.contrib.auth.models import User

NOT_OPEN = "There is no such collection, or you do not curate it."


class Moving(Deed):
    def read(self, arguments: dict[str, Any], user: User) -> dict[str, Any]:
        to = Collection.objects.open_to(user, CURATING).filter(slug=arguments.get("collection") or "").first()
        if to is None:
            raise Refused(NOT_OPEN, "collection")
        return {"collection": to.slug, "name": to.name, "id": to.pk}

    def hold(self, batch: Batch, before: Iterable[Any] | None) -> None:
        hold_collections([batch.arguments["id"]] if before is None else [was["from"] for was in before])

    def apply(self, batch: Batch, assets: list[Asset]) -> Outcome:
        to = find_curated_collection(batch.arguments["id"], batch.owner)
        if to is None:
            raise Refused(f"“{batch.arguments['name']}” is gone, or you do not curate it any more.")
        moved = set(move(chosen(assets), to).assets)
        left = {
            asset.pk: f"It is in {to} already." if asset.collection_id == to.pk else f"{to} has the same picture."
            for asset in assets
            if asset.pk not in moved
        }
        return Outcome({a.pk: {"from": a.collection_id, "to": to.pk} for a in assets if a.pk in moved}, left)

    def undo(self, batch: Batch, before: dict[int, Any]) -> Outcome:
        outcome = Outcome()
        by_home: dict[int, list[int]] = defaultdict(list)
        places = dict(chosen(before).values_list("pk", "collection"))
        for pk, was in before.items():
            if places.get(pk) == was["to"]:
                by_home[was["from"]].append(pk)
            else:
                outcome.left[pk] = "Somebody moved it since."
        for home, pks in by_home.items():
            self._go_home(home, pks, batch.owner, outcome)
        return outcome

    def _go_home(self, home: int, pks: list[int], owner: User, outcome: Outcome) -> None:
        to = find_curated_collection(home, owner)
        if to is None:
            outcome.left |= dict.fromkeys(pks, "The collection that it came from is gone, or you do not curate it.")
            return
        moved = set(move(chosen(pks), to).assets)
        outcome.done |= dict.fromkeys(moved)
        outcome.left |= {pk: f"{to} has the same picture by now." for pk in pks if pk not in moved}


def find_curated_collection(pk: int, user: User) -> Collection | None:
    return Collection.objects.open_to(user, CURATING).filter(pk=pk).first()

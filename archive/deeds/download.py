"""As one zip file, which grows by chunks and outlives a worker that is killed.

`batch.size` says how much of the file is complete: whatever a dead worker wrote behind that is cut off.
Each item remembers where its part lies; the directory at the end of the zip is written last, from that.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet, Sum
from django.template.defaultfilters import filesizeformat

from archive import exports
from archive.deeds.deed import Deed, Outcome, Refused
from archive.exchange.concept_rows import concepts_open_to
from archive.models import Asset, Batch, ItemState
from archive.sidecars import paths_of, sidecar
from archive.tags import tags_of, with_tags

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# A chunk is a transaction: it ends after so many bytes or seconds, even of few large files.
MOST_BYTES = 256 * 2**20
MOST_SECONDS = 5.0
# Local headers, directory and names, for each file.
OVERHEAD = 1024
SIDECAR_BYTES = 8192  # more than most have
HIDDEN = "It is not shared with you any more."
MISSING = "Its original is missing from the archive's store."
LOST = "The file was lost while it was being made. Ask for the download again."
FULL = "The archive's disk is almost full. Tell whoever runs it, or choose fewer pictures."


class Downloading(Deed):
    def read(self, arguments: dict[str, Any], user: User) -> dict[str, Any]:
        return {"sidecars": True} if arguments.get("sidecars") else {}

    def open_to(self, user: User) -> QuerySet[Asset]:
        return Asset.objects.visible_to(user)

    def why_not(self, assets: Iterable[Asset], user: User) -> dict[int, str]:
        return {asset.pk: HIDDEN for asset in assets}

    def accept(self, batch: Batch) -> None:
        needed = (batch.items.aggregate(all=Sum("asset__size"))["all"] or 0) + OVERHEAD * batch.total
        needed += SIDECAR_BYTES * batch.total if batch.arguments.get("sidecars") else 0
        room = exports.room()
        if needed > room:
            raise Refused(
                f"These files are {filesizeformat(needed)} together, and the archive's disk has room for "
                f"{filesizeformat(max(room, 0))}. Choose fewer."
            )

    def apply(self, batch: Batch, assets: list[Asset]) -> Outcome:
        if exports.room() < sum(asset.size for asset in assets[:1]):
            raise Refused(FULL)
        outcome = Outcome()
        names = exports.Names(batch, assets)
        beside = _sidecars(assets, batch.owner) if batch.arguments.get("sidecars") else {}
        until, most = time.monotonic() + MOST_SECONDS, batch.size + MOST_BYTES
        try:
            with exports.growing(batch) as file:
                for asset in assets:
                    try:
                        outcome.done[asset.pk] = exports.append(file, asset, names, beside.get(asset.pk))
                    except FileNotFoundError:
                        outcome.left[asset.pk] = MISSING
                    if file.tell() > most or time.monotonic() > until:
                        break
                batch.size = file.tell()
        except exports.Lost as error:
            raise Refused(LOST) from error
        except OSError as error:
            raise Refused(FULL) if error.errno == errno.ENOSPC else error from error
        return outcome

    def finish(self, batch: Batch) -> None:
        entries: Any = batch.items.filter(state=ItemState.DONE).order_by("id").values_list("before", flat=True)
        try:
            exports.finish(batch, entries.iterator())
        except exports.Lost as error:
            raise Refused(LOST) from error

    def undo(self, batch: Batch, before: dict[int, Any]) -> Outcome:
        """What lies in the file goes with the file."""
        exports.discard(batch)
        return Outcome(dict.fromkeys(before))


def _sidecars(assets: list[Asset], reader: User) -> dict[int, bytes]:
    """Of a chunk at once: a statement for all tags, and one for each step of their tree."""
    told = {asset.pk: asset for asset in with_tags(Asset.objects.filter(pk__in=[asset.pk for asset in assets]))}
    tags = {pk: tags_of(asset) for pk, asset in told.items()}
    paths = paths_of((tag for many in tags.values() for tag in many), concepts_open_to(reader))
    return {pk: sidecar(asset, tags[pk], paths) for pk, asset in told.items()}

"""The work of batches: chunk by chunk.

A chunk is one transaction that holds the batch's row: it changes some assets, writes their items and the
counts. A worker that is killed leaves the chunk undone and the row free; two workers never hold one batch.
"""

from __future__ import annotations

import logging

import orjson
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models.functions import Now
from django.utils.timezone import now

from archive.deeds import DEEDS, Deed, Outcome, Refused
from archive.deeds.deed import NOT_YOURS
from archive.models import Action, Asset, Batch, BatchItem, BatchState, ItemState
from archive.models.batches import OPEN

log = logging.getLogger(__name__)
DELETED = "It was deleted for good."

WRITE = """
UPDATE archive_batchitem i SET state = now.state, note = now.note, before = coalesce(now.before::jsonb, i.before)
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[]) AS now(id, state, note, before) WHERE i.id = now.id
"""


def work_on_next() -> bool:
    """Do a chunk of the batch that waits longest; returns whether there was one that nobody else holds."""
    pk = 0
    try:
        with transaction.atomic():
            waiting = Batch.objects.filter(state__in=OPEN).order_by("touched_at")
            batch = waiting.select_for_update(of=("self",), skip_locked=True).select_related("owner").first()
            if batch is None:
                return False
            pk = batch.pk
            _do_chunk(batch)
    except (OperationalError, InterfaceError):  # Postgres is away or busy: no fault of the batch
        raise
    except Refused as error:
        _stop(pk, str(error))
    except Exception as error:
        log.exception("batch %s", pk)
        _stop(pk, f"Something unexpected happened ({type(error).__name__}); the log has more.")
    return True


def _do_chunk(batch: Batch) -> None:
    deed = DEEDS[batch.action]
    undoing = batch.state == BatchState.UNDOING
    if not batch.owner.is_active:
        raise Refused("Whoever asked for it may not log in any more.")
    waiting = batch.items.filter(state=ItemState.DONE if undoing else ItemState.WAITING)
    items = list(waiting.order_by("id")[: deed.chunk])
    if undoing:
        outcome = _undo(batch, deed, items)
        batch.undone += _write(items, outcome, ItemState.UNDONE, ItemState.KEPT)
        batch.kept += len(outcome.left)
    else:
        outcome = _apply(batch, deed, items)
        batch.done += _write(items, outcome, ItemState.DONE, ItemState.SKIPPED)
        batch.skipped += len(outcome.left)
        batch.state = BatchState.RUNNING
    if not waiting.exists():
        if not undoing:
            deed.finish(batch)
        batch.state, batch.finished_at = BatchState.UNDONE if undoing else BatchState.DONE, now()
    batch.touched_at = now()
    batch.save()


def _apply(batch: Batch, deed: Deed, items: list[BatchItem]) -> Outcome:
    """Only to what the owner may do it to at this moment; held, so that nobody changes it in between."""
    deed.hold(batch, None)
    deed.hold_first([item.asset_id for item in items])
    asked = Asset.objects.filter(pk__in=[item.asset_id for item in items])
    allowed = deed.open_to(batch.owner).filter(pk__in=asked.order_by().values("pk"))
    held = allowed.order_by("pk").select_for_update(of=("self",), no_key=True).defer("exif", "notes", "caption")
    assets = {asset.pk: asset for asset in held}
    outcome = deed.apply(batch, [assets[item.asset_id] for item in items if item.asset_id in assets])
    if len(assets) < len(items):
        others = list(asked.exclude(pk__in=assets))
        outcome.left |= deed.why_not(others, batch.owner)
        known = {*assets, *(asset.pk for asset in others)}
        outcome.left |= {item.asset_id: DELETED for item in items if item.asset_id not in known}
    return outcome


def _undo(batch: Batch, deed: Deed, items: list[BatchItem]) -> Outcome:
    before = {item.asset_id: item.before for item in items}
    if batch.action == Action.DOWNLOAD:  # gives nothing back to anybody
        return deed.undo(batch, before)
    deed.hold(batch, before.values())
    curated = Asset.objects.curated_by(batch.owner).filter(pk__in=before).order_by("pk")
    held = set(curated.select_for_update(of=("self",), no_key=True).values_list("pk", flat=True))
    outcome = deed.undo(batch, {pk: was for pk, was in before.items() if pk in held})
    there = set(Asset.objects.filter(pk__in=before.keys() - held).values_list("pk", flat=True))
    outcome.left |= {pk: NOT_YOURS if pk in there else DELETED for pk in before if pk not in held}
    return outcome


def _write(items: list[BatchItem], outcome: Outcome, done: ItemState, left: ItemState) -> int:
    """Write what became of items; returns how many were done. Those that were not come to stay as they are."""
    by_asset = {item.asset_id: item.pk for item in items}
    keeps = done == ItemState.DONE
    rows = [(by_asset[a], str(done), "", orjson.dumps(b).decode() if keeps else None) for a, b in outcome.done.items()]
    rows += [(by_asset[asset], str(left), why[:300], None) for asset, why in outcome.left.items()]
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]
    with connection.cursor() as cursor:
        cursor.execute(WRITE, columns)
    return len(outcome.done)


def _stop(pk: int, sentence: str) -> None:
    Batch.objects.filter(pk=pk, state__in=OPEN).update(
        state=BatchState.FAILED, error=sentence, touched_at=Now(), finished_at=Now()
    )

"""Batches: kept when somebody confirms, applied in chunks by a worker, taken back when somebody asks.

A chunk is one transaction that holds the batch's row: it changes some assets, writes their items and the
counts. A worker that is killed leaves the chunk undone and the row free; two workers never hold one batch.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Count, QuerySet
from django.db.models.functions import Now
from django.utils.timezone import now

from archive import dispatch
from archive.deeds import DEEDS, Deed, Outcome, Refused
from archive.deeds.deed import NOT_YOURS
from archive.models import Action, Asset, Batch, BatchItem, BatchState, ItemState
from archive.models.batches import OPEN

if TYPE_CHECKING:
    from django.contrib.auth.models import User

log = logging.getLogger(__name__)
MOST_OPEN = 20
NOTHING = "There is nothing that you could do this to."

SNAPSHOT = "INSERT INTO archive_batchitem (batch_id, asset_id) SELECT %s, id FROM ({chosen}) AS chosen(id)"
MEASURE = "SELECT count(*), coalesce(bit_xor(hashint8extended(id, 0)), 0) FROM ({chosen}) AS chosen(id)"


class SetChanged(Exception):
    """Other assets than those that were shown; `now` is how many there are."""

    def __init__(self, now: int) -> None:
        super().__init__(
            f"Nothing was done: what you looked at changed meanwhile, to {now:,} now. Look again, then confirm."
        )
        self.now = now


@dataclass(frozen=True)
class Measured:
    """How many assets there are, and a number that is another one for other assets."""

    count: int
    mark: int

    @property
    def token(self) -> str:
        return f"{self.count}.{self.mark:x}"


@dataclass(frozen=True)
class Order:
    """What somebody asks for: `what` in words, `params` as the address of the query has it."""

    action: str
    arguments: dict[str, Any]
    what: str
    params: dict[str, str]


def measure(assets: QuerySet[Asset]) -> Measured:
    found = _run(MEASURE, [], assets.order_by())
    return Measured(*found) if found else Measured(0, 0)


def read_order(action: str, arguments: dict[str, Any], user: User, what: str, params: dict[str, str]) -> Order:
    """Raises `Refused`, naming what is wrong."""
    if action not in DEEDS:
        raise Refused(f"An action is one of: {', '.join(DEEDS)}.", "action")
    return Order(action, DEEDS[action].read(arguments, user), what[:1000], params)


@transaction.atomic
def make_batch(order: Order, user: User, assets: QuerySet[Asset], expected: str = "") -> Batch:
    """Keep the order with those of `assets` that `user` may do this to, in one statement however many they are.

    `expected` is the token or the count that was shown. Raises `SetChanged` and `Refused`.
    """
    if Batch.objects.filter(owner=user, state__in=OPEN).count() >= MOST_OPEN:
        raise Refused(f"{MOST_OPEN} actions of yours are not done yet. Wait until one is.")
    batch = Batch.objects.create(
        owner=user, action=order.action, arguments=order.arguments, what=order.what, params=order.params
    )
    chosen = assets.filter(pk__in=DEEDS[order.action].open_to(user).order_by().values("pk"))
    _run(SNAPSHOT, [batch.pk], chosen)
    kept = _measure_items(batch)
    if expected and expected not in (kept.token, str(kept.count)):
        raise SetChanged(kept.count)
    if not kept.count:
        raise Refused(NOTHING)
    batch.total = kept.count
    batch.save(update_fields=["total"])
    DEEDS[order.action].accept(batch)
    transaction.on_commit(dispatch.ring_batches, robust=True)
    return batch


@transaction.atomic
def undo(batch: Batch) -> Batch:
    """Have it taken back, as far as it got. Raises `Refused`. A worker in the middle of a chunk is waited for."""
    held = Batch.objects.select_for_update().get(pk=batch.pk)
    if held.state in (BatchState.UNDOING, BatchState.UNDONE):
        raise Refused("It is undone already, or about to be.")
    held.state, held.error, held.finished_at = BatchState.UNDOING, "", None
    held.save(update_fields=["state", "error", "finished_at"])
    transaction.on_commit(dispatch.ring_batches, robust=True)
    return held


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


def why_left(batch: Batch) -> list[tuple[str, int]]:
    """The reasons for which items were skipped or kept as they are, the most frequent first."""
    left = batch.items.filter(state__in=(ItemState.SKIPPED, ItemState.KEPT))
    return list(left.values_list("note").annotate(n=Count("pk")).order_by("-n", "note"))


def sweep_batches() -> int:
    """Forget batches with the trash: what could be undone is deleted for good by then."""
    old = Batch.objects.filter(created_at__lt=Now() - timedelta(days=settings.SIGHTLINE_TRASH_DAYS))
    ended = list(old.exclude(state__in=OPEN).values_list("pk", flat=True))
    BatchItem.objects.filter(batch__in=ended).delete()
    return Batch.objects.filter(pk__in=ended).delete()[0]


def _do_chunk(batch: Batch) -> None:
    deed = DEEDS[batch.action]
    undoing = batch.state == BatchState.UNDOING
    if not batch.owner.is_active:
        raise Refused("Whoever asked for it may not log in any more.")
    waiting = batch.items.filter(state=ItemState.DONE if undoing else ItemState.WAITING)
    items = list(waiting.order_by("id")[: deed.chunk])
    if not items:
        if not undoing:
            deed.finish(batch)
        batch.state, batch.finished_at = BatchState.UNDONE if undoing else BatchState.DONE, now()
    elif undoing:
        outcome = _undo(batch, deed, items)
        batch.undone += _write(items, outcome, ItemState.UNDONE, ItemState.KEPT)
        batch.kept += len(outcome.left)
    else:
        outcome = _apply(batch, deed, items)
        batch.done += _write(items, outcome, ItemState.DONE, ItemState.SKIPPED)
        batch.skipped += len(outcome.left)
        batch.state = BatchState.RUNNING
    batch.touched_at = now()
    batch.save()


def _apply(batch: Batch, deed: Deed, items: list[BatchItem]) -> Outcome:
    """Only to what the owner may do it to at this moment; held, so that nobody changes it in between."""
    asked = Asset.objects.filter(pk__in=[item.asset_id for item in items])
    allowed = deed.open_to(batch.owner).filter(pk__in=asked.order_by().values("pk"))
    assets = {a.pk: a for a in allowed.order_by("pk").select_for_update(of=("self",), no_key=True)}
    outcome = deed.apply(batch, [assets[item.asset_id] for item in items if item.asset_id in assets])
    if len(assets) < len(items):
        outcome.left |= deed.why_not(asked.exclude(pk__in=assets), batch.owner)
    return outcome


def _undo(batch: Batch, deed: Deed, items: list[BatchItem]) -> Outcome:
    before = {item.asset_id: item.before for item in items}
    if batch.action == Action.DOWNLOAD:  # gives nothing back to anybody
        return deed.undo(batch, before)
    curated = Asset.objects.curated_by(batch.owner).filter(pk__in=before).order_by("pk")
    held = set(curated.select_for_update(of=("self",), no_key=True).values_list("pk", flat=True))
    outcome = deed.undo(batch, {pk: was for pk, was in before.items() if pk in held})
    outcome.left |= {pk: NOT_YOURS for pk in before if pk not in held}
    return outcome


def _write(items: list[BatchItem], outcome: Outcome, done: ItemState, left: ItemState) -> int:
    """Write what became of items; returns how many were done. Those that were not come to stay as they are."""
    through = []
    for item in items:
        if item.asset_id in outcome.done:
            item.state = done
            item.before = outcome.done[item.asset_id] if done == ItemState.DONE else item.before
        elif item.asset_id in outcome.left:
            item.state, item.note = left, outcome.left[item.asset_id][:300]
        else:
            continue
        through.append(item)
    BatchItem.objects.bulk_update(through, ["state", "note", "before"])
    return len(outcome.done)


def _stop(pk: int, sentence: str) -> None:
    Batch.objects.filter(pk=pk, state__in=OPEN).update(
        state=BatchState.FAILED, error=sentence, touched_at=Now(), finished_at=Now()
    )


def _measure_items(batch: Batch) -> Measured:
    items = batch.items.order_by().values_list("asset_id", flat=True)
    sql, params = items.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(MEASURE.format(chosen=sql), params)
        return Measured(*cursor.fetchone())


def _run(statement: str, first: list[Any], assets: QuerySet[Asset]) -> tuple[Any, ...] | None:
    try:
        sql, params = assets.values("pk").query.sql_with_params()
    except EmptyResultSet:
        return None
    with connection.cursor() as cursor:
        cursor.execute(statement.format(chosen=sql), [*first, *params])
        return cursor.fetchone() if cursor.description else None

"""Batches: kept when somebody confirms, taken back when somebody asks, forgotten after some weeks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import Count, QuerySet
from django.db.models.functions import Now

from archive import dispatch
from archive.deeds import DEEDS, Refused
from archive.models import Asset, Batch, BatchItem, BatchState, ItemState
from archive.models.batches import OPEN

if TYPE_CHECKING:
    from django.contrib.auth.models import User

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
    if held.lasts and not held.is_open:
        raise Refused("There is nothing to take back: what was ordered is done by now, or waits on the Work page.")
    held.state, held.error, held.finished_at = BatchState.UNDOING, "", None
    held.save(update_fields=["state", "error", "finished_at"])
    transaction.on_commit(dispatch.ring_batches, robust=True)
    return held


def why_left(batch: Batch) -> list[tuple[str, int]]:
    """The reasons for which items were skipped or kept as they are, the most frequent first."""
    left = batch.items.filter(state__in=(ItemState.SKIPPED, ItemState.KEPT))
    return list(left.values_list("note").annotate(n=Count("pk")).order_by("-n", "note"))


def still_shared(batch: Batch) -> bool:
    """Whether its owner may still see all that a download holds."""
    held = batch.items.filter(state=ItemState.DONE)
    return not held.exclude(asset__in=Asset.objects.visible_to(batch.owner).order_by().values("pk")).exists()


def sweep_batches() -> int:
    """Forget batches with the trash: what could be undone is deleted for good by then."""
    old = Batch.objects.filter(created_at__lt=Now() - timedelta(days=settings.SIGHTLINE_TRASH_DAYS))
    ended = list(old.exclude(state__in=OPEN).values_list("pk", flat=True))
    BatchItem.objects.filter(batch__in=ended).delete()
    return Batch.objects.filter(pk__in=ended).delete()[0]


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

"""Waiting until assets are READY or FAILED, and noticing when nothing moves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from time import monotonic, sleep

from django.db.models.functions import Now

from archive.models import Asset, Status, Work, WorkState

CHUNK = 5000
GONE = "It was deleted while it was being prepared."


@dataclass
class Waiting:
    """`failed`: why, by the asset's id. `still`: seconds since anything moved while nobody was at work."""

    left: set[int]
    failed: dict[int, str] = field(default_factory=dict)
    still: float = 0.0


def wait_for(assets: Iterable[int], every: float = 0.5) -> Iterator[Waiting]:
    """Look again and again until no asset is left; yields what is known after each look."""
    waiting = Waiting(set(assets))
    moved, before = monotonic(), -1
    while True:
        _look(waiting)
        if len(waiting.left) != before or _somebody_works():
            moved, before = monotonic(), len(waiting.left)
        waiting.still = monotonic() - moved
        yield waiting
        if not waiting.left:
            return
        sleep(every)


def _look(waiting: Waiting) -> None:
    ids = sorted(waiting.left)
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        rows = Asset.objects.filter(pk__in=chunk).values_list("pk", "status", "error")
        states = {pk: (status, error) for pk, status, error in rows}
        for pk in chunk:
            status, error = states.get(pk, (Status.FAILED, GONE))
            if status == Status.FAILED:
                waiting.failed[pk] = error
            if status != Status.PENDING:
                waiting.left.discard(pk)


def _somebody_works() -> bool:
    return Work.objects.filter(state=WorkState.RUNNING, lease_until__gt=Now()).exists()

"""From BUILDING to READY to ACTIVE and back: which space is filled, and which one is searched."""

from __future__ import annotations

import re
import time
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from archive import dispatch
from archive.gains import in_words
from archive.models import Asset, Space, SpaceState, Status
from archive.readiness import settle
from archive.spaces.coverage import Gaps, coverage, gaps
from archive.spaces.index import index_state, is_large
from archive.spaces.partitions import make_partitions

SPACE_NAME = r"[a-z0-9][a-z0-9.-]*"
CHUNK = 1000
POLL_SECONDS = 0.2


class SpaceNotReady(Exception):
    """The space cannot take over yet; the sentence says why and what to do."""


class GainsNothing(SpaceNotReady):
    """The space was adapted from another one and finds no more than that; `gain` has the figures."""

    def __init__(self, gain: dict[str, Any]) -> None:
        super().__init__(in_words(gain))
        self.gain = gain


class SpaceRetired(SpaceNotReady):
    def __init__(self, space: Space) -> None:
        super().__init__(f"{space.slug} is retired and its vectors are gone. Make a new space for its model.")


class NothingToRollBackTo(SpaceNotReady):
    def __init__(self) -> None:
        super().__init__("No other space was searched before, so there is none to go back to.")


@transaction.atomic
def create_space(space: Space) -> Space:
    """Save a new space and make its partitions. It is BUILDING: uploads are written to it from now on."""
    if not re.fullmatch(SPACE_NAME, space.slug):
        raise ValueError(f"{space.slug!r} is no name for a space: use small letters, digits, dots and dashes.")
    promote_full()
    space.state = SpaceState.BUILDING
    space.save()
    make_partitions(space)
    return space


def promote_full() -> Space | None:
    """The space that was being filled is READY once it covers everything and has the index it needs."""
    space = Space.objects.filter(state=SpaceState.BUILDING).first()
    if space is None or (is_large(space) and not index_state(space).valid) or not is_full(space):
        return None
    changed = Space.objects.filter(pk=space.pk, state=SpaceState.BUILDING).update(state=SpaceState.READY)
    return space if changed else None


def is_full(space: Space) -> bool:
    """By what its work says first, which costs little; then by its vectors. Full of nothing is not full."""
    told = coverage(space)
    return told.total > 0 and told.done >= told.total and not gaps(space).count


def activate(
    space: Space,
    *,
    even_if_partial: bool = False,
    even_if_unindexed: bool = False,
    even_if_worse: bool = False,
    patience: float = 0.0,
) -> None:
    """Search this space from the next query on; the one before stays READY for a roll-back.

    Raises `SpaceNotReady`. For `patience` seconds it waits for uploads that are just being written.
    """
    if not Space.objects.live().filter(pk=space.pk).exists():
        raise SpaceRetired(space)
    if space.gain and not space.gain["gains"] and not even_if_worse:
        raise GainsNothing(space.gain)
    if not even_if_partial:
        missing = _wait_for_arrivals(space, patience)
        if missing.count:
            raise SpaceNotReady(_why_not_full(space))
    if not even_if_unindexed and is_large(space) and not index_state(space).valid:
        raise SpaceNotReady(
            f"{space.slug} is large and has no valid index, so every search would be slow. "
            f"Build it with `manage.py space index {space.slug}`, or activate it as it is with --unindexed."
        )
    _switch_to(space)


def find_previous() -> Space | None:
    """The space that was searched before this one."""
    ready = Space.objects.filter(state=SpaceState.READY, activated_at__isnull=False)
    return ready.order_by(F("activated_at").desc()).first()


def rollback() -> Space:
    """Search the space of before again, at once and whatever it lacks: it was good enough until the switch."""
    space = find_previous()
    if space is None:
        raise NothingToRollBackTo
    _switch_to(space)
    return space


def _switch_to(space: Space) -> None:
    """One short transaction. A search in the middle of it goes on in the space it began in."""
    with transaction.atomic():
        states = dict(Space.objects.select_for_update().order_by("pk").values_list("pk", "state"))
        if states.get(space.pk) in (None, SpaceState.RETIRED):
            raise SpaceRetired(space)
        Space.objects.filter(state=SpaceState.ACTIVE).exclude(pk=space.pk).update(state=SpaceState.READY)
        Space.objects.filter(pk=space.pk).update(state=SpaceState.ACTIVE, activated_at=Now(), takes_over=False)
        transaction.on_commit(dispatch.warm_up, robust=True)
    space.refresh_from_db()
    _settle_all()


def _settle_all() -> None:
    """What holds an asset back is the searched space's work, which is another's now."""
    waiting = list(Asset.objects.exclude(status=Status.READY).order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(waiting), CHUNK):
        settle(waiting[start : start + CHUNK])


def _wait_for_arrivals(space: Space, patience: float) -> Gaps:
    until = time.monotonic() + patience
    while True:
        missing = gaps(space)
        if missing.count != missing.arriving or not missing.count or time.monotonic() > until:
            return missing
        time.sleep(POLL_SECONDS)


def _why_not_full(space: Space) -> str:
    told = coverage(space)
    said = f"{space.slug} covers {told.done:,} of {told.total:,} assets. "
    if told.set_aside:
        said += f"{told.set_aside:,} were set aside: try them again or skip them on the admin's Work page. "
    if told.done + told.set_aside < told.total and not told.waiting:
        said += f"Nothing fills it: run `manage.py space backfill {space.slug}`. "
    return f"{said}Let the backfill finish, or activate it as it is with --partial."

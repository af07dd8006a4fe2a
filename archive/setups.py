"""Asking for a space to be set up, taking that back, and trying again. A worker does it (workers.setups)."""

from __future__ import annotations

import re

from django.db import connection, transaction

from archive import dispatch
from archive.models import Space, SpaceState
from archive.models.setups import OPEN, Setup, SetupState, Then
from archive.spaces import SPACE_NAME, promote_full

KEPT = 20  # rows of the past


class SetupRefused(ValueError):
    """It cannot be asked for now; the sentence says why and what to do."""


def find_open() -> Setup | None:
    return Setup.objects.filter(state__in=OPEN).select_related("parent").first()


def find_shown() -> Setup | None:
    """What is under way, or else the last one, where that failed: until somebody has seen to it."""
    last = Setup.objects.order_by("-pk").first()
    return find_open() or (last if last is not None and last.state == SetupState.FAILED else None)


@transaction.atomic
def ask_for(setup: Setup) -> Setup:
    """Save it and ring a worker. Raises `SetupRefused` where there is no room for it."""
    with connection.cursor() as cursor:  # two who ask in the same moment
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('sightline setup'), 1)")
    refuse_without_room(setup)
    setup.save()
    old = Setup.objects.exclude(state__in=OPEN).order_by("-pk").values_list("pk", flat=True)[KEPT:]
    Setup.objects.filter(pk__in=list(old)).delete()
    transaction.on_commit(dispatch.set_up, robust=True)
    return setup


def refuse_without_room(setup: Setup) -> None:
    """What would only be found out after hours of downloading."""
    under_way = find_open()
    if under_way is not None and under_way.pk != setup.pk:
        raise SetupRefused(f"{under_way} is being set up. Wait for it, or cancel it: one is set up at a time.")
    if setup.then == Then.FETCH:
        return
    if not re.fullmatch(SPACE_NAME, setup.slug):
        raise SetupRefused(f"{setup.slug!r} is no name for a space: use small letters, digits, dots and dashes.")
    if Space.objects.filter(slug=setup.slug).exists():
        raise SetupRefused(f"There is, or was, a space {setup.slug!r} already. Choose another name.")
    promote_full()
    filling = Space.objects.filter(state=SpaceState.BUILDING).first()
    if filling is not None:
        raise SetupRefused(f"{filling.slug} is being filled. Activate or retire it first: one is filled at a time.")


def cancel(setup: Setup) -> bool:
    """Whoever is at it notices at its next step; what was downloaded stays. False: it had ended."""
    return bool(Setup.objects.filter(pk=setup.pk, state__in=OPEN).update(state=SetupState.CANCELLED))


@transaction.atomic
def try_again(setup: Setup) -> None:
    """A download goes on where it stopped. Raises `SetupRefused`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('sightline setup'), 1)")
    refuse_without_room(setup)
    changed = {"state": SetupState.WAITING, "said": "", "tries": 0}
    Setup.objects.filter(pk=setup.pk, state=SetupState.FAILED).update(**changed)
    transaction.on_commit(dispatch.set_up, robust=True)


def dismiss(setup: Setup) -> None:
    """Somebody has read why it failed."""
    Setup.objects.filter(pk=setup.pk, state=SetupState.FAILED).update(state=SetupState.CANCELLED)

"""Setting up what was asked for: its model fetched, its space made and filled, on a worker and slice by slice."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import IntegrityError, connection

from archive.catalogue import find_model, is_here, models_folder
from archive.models import Setup, SetupState, Space, Then
from archive.models.setups import OPEN
from archive.setups import find_open
from archive.spaces import ArchiveBusy, SpaceNotReady, backfill
from workers.adapting.space import adapt_space
from workers.encoders.adapter_recipe import Recipe
from workers.encoders.protocol import EncoderRefused, NotNow
from workers.fetch import FetchFailed, fetch
from workers.spaces import make_space

log = logging.getLogger(__name__)
TRIES = 3  # a worker that dies each time it opens a model must not be killed for ever
TOLD_EVERY = 1.0  # seconds
REFUSALS = (ArchiveBusy, EncoderRefused, FetchFailed, NotNow, SpaceNotReady, ValueError)


class Interrupted(Exception):
    """This slice is over, or somebody cancelled: what was downloaded stays for the next."""


def work_on_setup(budget: float = float("inf")) -> bool:
    """Go on with what is open, for about `budget` seconds where it can be cut; returns whether more is to be done.

    Opening a model and training cannot be cut. A worker that is killed leaves all of it to the next.
    """
    with alone() as mine:
        setup = find_open() if mine else None
        if setup is None:
            return False
        try:
            _go_on(setup, time.monotonic() + budget)
        except Interrupted:
            return find_open() is not None
        except REFUSALS as error:
            _end(setup, SetupState.FAILED, str(error))
        except IntegrityError:
            _end(setup, SetupState.FAILED, f"There is a space {setup.slug!r} already, or another one is being filled.")
        except Exception as error:
            log.exception("setting up %s", setup)
            _end(setup, SetupState.FAILED, f"{type(error).__name__}: {error}. The worker's log has more.")
    return False


@contextmanager
def alone() -> Iterator[bool]:
    """Whether this process may: one at a time. The lock is the connection's and goes with it, so a killed worker
    leaves none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('sightline setup'), 0)")
        mine = cursor.fetchone() == (True,)
        try:
            yield mine
        finally:
            if mine:
                cursor.execute("SELECT pg_advisory_unlock(hashtext('sightline setup'), 0)")


def _go_on(setup: Setup, until: float) -> None:
    if setup.parent is None:
        _fetch(setup, until)
        if setup.then == Then.FETCH:
            _end(setup, SetupState.DONE, f"{setup.model} is in {models_folder() / setup.model}.")
            return
    space = Space.objects.filter(slug=setup.slug, created_at__gt=setup.created_at).first()  # a worker died since
    if space is None:
        _count_try(setup)
        space = _adapt(setup) if setup.parent is not None else _open(setup)
    if setup.then == Then.SEARCH:
        Space.objects.filter(pk=space.pk).update(takes_over=True)
    waiting = backfill(space)
    _end(setup, SetupState.DONE, f"{space.slug} is made; {waiting:,} pictures are read for it.")


def _fetch(setup: Setup, until: float) -> None:
    """Nothing, where the model is here, comes from a folder, or may not be fetched: opening it says what lacks."""
    model = find_model(setup.model)
    if model is None or setup.weights or is_here(model) or settings.SIGHTLINE_OFFLINE:
        return
    _note(setup, state=SetupState.FETCHING)
    last = 0.0

    def progress(file: str, here: int, size: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last > TOLD_EVERY or here == size:
            last = now
            _note(setup, file=file, here=here, size=size)
        if now > until and here < size:  # a chunk of each slice is written: so it comes to an end
            raise Interrupted

    fetch(model, models_folder() / model.name, progress)


def _open(setup: Setup) -> Space:
    _note(setup, state=SetupState.OPENING, said="")
    return make_space(setup.slug, setup.model, setup.weights)


def _adapt(setup: Setup) -> Space:
    _note(setup, state=SetupState.ADAPTING, said="")
    return adapt_space(setup.slug, setup.parent, recipe=Recipe(loss=setup.loss or Recipe.loss), say=_teller(setup))


def _teller(setup: Setup) -> Callable[[str], None]:
    return lambda line: _note(setup, said=line)


def _count_try(setup: Setup) -> None:
    if setup.tries >= TRIES:
        raise FetchFailed(
            f"A worker died {setup.tries} times while it did this: too little memory for this model is the usual cause."
        )
    setup.tries += 1
    _note(setup, tries=setup.tries)


def _note(setup: Setup, **changed: object) -> None:
    """Raises `Interrupted` when somebody cancelled it."""
    if not Setup.objects.filter(pk=setup.pk, state__in=OPEN).update(**changed):
        raise Interrupted


def _end(setup: Setup, state: SetupState, said: str) -> None:
    Setup.objects.filter(pk=setup.pk, state__in=OPEN).update(state=state, said=said)
    (log.error if state == SetupState.FAILED else log.info)("setting up %s: %s", setup, said)

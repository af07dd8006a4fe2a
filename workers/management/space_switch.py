"""The way of `manage.py space switch` up to a full space: find or make it, fill it, index it. Each step goes on where
an earlier call left it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from django.core.management.base import CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bars

from archive.catalogue import default_model, find_model
from archive.models import Space, SpaceState
from archive.spaces import (
    IndexBeingBuilt,
    SpaceNotReady,
    backfill,
    build_index,
    coverage,
    is_full,
    progress,
    promote_full,
)
from workers.client import EncoderUnavailable, make_sure_it_reads
from workers.encode import drain_encode
from workers.management.space_fetch import about_weights, get_weights
from workers.management.space_life import as_time
from workers.spaces import SHIPPED_KNOW, make_shipped_space, make_space

Say = Callable[[str], Any]
LOOK_SECONDS = 1.0
TOLD_SECONDS = 10.0  # between two lines where no bar can move
STILL_SECONDS = 30.0  # without a step: somebody should know
READS_SECONDS = 180.0  # for the queries worker to load a large model


def find_or_make(options: Mapping[str, Any], say: Say) -> Space:
    """The live space of that name, else a new one. A name of models.toml, in capitals or not, is its model too."""
    name, model = options["name"], options["model"]
    known = find_model(name)
    slug = name.lower()
    space = Space.objects.filter(slug=slug).first()
    if space is not None:
        if space.state == SpaceState.RETIRED:
            raise CommandError(f"{slug} is retired: its vectors are gone. Take another name, with --model.")
        return space
    promote_full()
    filling = Space.objects.filter(state=SpaceState.BUILDING).first()
    if filling is not None:
        raise CommandError(f"{filling.slug} is being filled. Activate or retire it first: one is filled at a time.")
    if known is not None and known.kind == "shipped" and name in SHIPPED_KNOW:
        return make_shipped_space(name, slug)
    model = model or (known.name if known else default_model().name)
    get_weights(model, options["weights"], say)
    space = make_space(slug, model, options["weights"])
    if said := about_weights(space):
        say(said)
    return space


def fill(space: Space, say: Say, *, here: bool) -> None:
    """Until it covers everything; `here`: by this process, else by the workers. Raises `SpaceNotReady` where assets
    were set aside, so that it will never be full by itself."""
    added = backfill(space)
    if added:
        say(f"{space.slug}: {added:,} to encode; searches go on in the old space, and Ctrl-C loses nothing")
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[left]}"))
    moved = told = again = time.monotonic()
    done = -1
    with Bars(*columns, console=console, disable=not console.is_terminal) as bars:
        task = bars.add_task(space.slug, total=None, left="")
        while not _is_covered(space):
            if here:
                drain_encode(5.0)
            now, row = time.monotonic(), progress(space)
            covered = row.covered
            left = f"{row.rate:.1f} assets/s, {as_time(row.seconds_left)} left" if row.rate else ""
            bars.update(task, completed=covered.done, total=covered.total, left=left)
            if not covered.waiting and now >= again and not _is_covered(space):
                again = now + STILL_SECONDS
                if added := backfill(space):
                    say(f"{space.slug}: {added:,} more to encode; somebody had stopped the filling, or they came late")
                    continue
            if covered.set_aside and not covered.waiting:
                raise SpaceNotReady(
                    f"{space.slug} covers {covered.done:,} of {covered.total:,} assets, and {covered.set_aside:,} were "
                    "set aside: try them again or skip them on the admin's Work page, then give the command again."
                )
            if covered.done != done:
                done, moved = covered.done, now
            if now - told > TOLD_SECONDS and not console.is_terminal:
                say(f"{space.slug}: {covered.done:,}/{covered.total:,} {left}".rstrip())
                told = now
            if now - moved > STILL_SECONDS:
                say("Nothing moves: does an encode worker run? `up` starts one; --here encodes in this process.")
                moved = now
            if not here:
                time.sleep(LOOK_SECONDS)


def _is_covered(space: Space) -> bool:
    return coverage(space).total == 0 or is_full(space)


def index(space: Space, say: Say) -> None:
    """Where it is large; waits for whoever builds one already."""
    waits = False
    while True:
        try:
            build_index(space)
        except IndexBeingBuilt as error:
            if not waits:
                say(str(error))
            waits = True
            time.sleep(LOOK_SECONDS)
        else:
            promote_full()
            return


def wait_until_it_reads(space: Space, say: Say, patience: float = READS_SECONDS) -> None:
    """Until the queries worker reads words in it, which loads the model before anybody waits for it. Raises
    `SpaceNotReady`: after the switch no search by words would be answered."""
    until = time.monotonic() + patience
    while True:
        try:
            make_sure_it_reads(space)
            return
        except EncoderUnavailable as error:
            if time.monotonic() > until:
                raise SpaceNotReady(
                    f"The queries worker does not read words in {space.slug}, so no search by words would be answered "
                    f"after the switch: {error} Mend that and give the command again, or switch with --even-if-unread."
                ) from error
            say(f"waiting for the queries worker: {error}")
            time.sleep(LOOK_SECONDS)

"""Passes: concepts that changed walk over all stored vectors of the searched space, chunk by chunk.

A chunk is one transaction that holds the pass: it writes what was found and how far it came. A worker that is killed
leaves the chunk undone and the row free; two workers never hold one pass. No picture is read.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable

from django.db import transaction

from archive import dispatch
from archive.concepts.heeding import heed
from archive.concepts.vectors import find_concept_vectors
from archive.models import Concept, ConceptPass, ConceptVector, PassState, Space, SpaceState
from archive.models.concept_vectors import GOING
from archive.spaces.coverage import coverage
from archive.vectors import read_on

log = logging.getLogger(__name__)
ROWS = 8_000  # of a chunk: 25 MB as float32, and a second or less


def start_due() -> ConceptPass | None:
    """Begin a pass of all watched concepts that changed since they were walked, in the searched space; of all of them
    when it was walked never since it is searched. None where nothing is due.

    Those that wait already are walked together.
    """
    with transaction.atomic():
        space = Space.objects.active()
        if space is None:
            return None
        made = ConceptVector.objects.made().filter(space=space, concept__in=Concept.objects.watched())
        walked = ConceptPass.objects.filter(space=space, made_at__gte=space.activated_at or space.created_at)
        due = made.filter(due=True) if walked.exists() else made
        due = due.order_by("pk").select_for_update(of=("self",), skip_locked=True)
        rows = list(due)
        if not rows:
            return None
        waiting = ConceptPass.objects.filter(space=space, state=PassState.WAITING).select_for_update(skip_locked=True)
        walk = waiting.first() or ConceptPass.objects.create(space=space, total=coverage(space).done)
        walk.concepts.add(*(row.concept_id for row in rows))
        ConceptVector.objects.filter(pk__in=[row.pk for row in rows]).update(due=False)
        transaction.on_commit(dispatch.walk_concepts, robust=True)
    return walk


def mark_due(concepts: Iterable[Concept]) -> None:
    """Have them walked again, for something about them changed: a line, a setting, a head."""
    ConceptVector.objects.filter(concept__in=list(concepts)).update(due=True)


def walk_on(budget: float = float("inf")) -> bool:
    """Go on with what waits, for `budget` seconds; returns whether more may wait."""
    until = time.monotonic() + budget
    while time.monotonic() < until:
        if not walk_chunk():
            return False
    return True


@transaction.atomic
def walk_chunk() -> bool:
    """One chunk of the pass that waits longest; returns whether there was one that nobody else holds."""
    going = ConceptPass.objects.filter(state__in=GOING).order_by("touched_at")
    walk = going.select_for_update(of=("self",), skip_locked=True).select_related("space").first()
    if walk is None:
        return False
    if walk.space.state != SpaceState.ACTIVE:
        walk.state = PassState.STOPPED
        walk.save()
        return True
    rows = read_on(walk.space, walk.position, ROWS)
    if rows.assets:
        concepts = find_concept_vectors(walk.space, walk.concepts.all())
        walk.found += heed(walk.space, rows, concepts, whole=True)
        walk.position = rows.assets[-1]
        walk.done += len(set(rows.assets))
        walk.total = max(walk.total, walk.done)
        walk.state = PassState.RUNNING
    else:
        walk.state, walk.total = PassState.DONE, walk.done
    walk.save()
    return True


def find_pass(concept: Concept) -> ConceptPass | None:
    """The last one that looked for it, or is about to."""
    return concept.passes.order_by("-pk").first()

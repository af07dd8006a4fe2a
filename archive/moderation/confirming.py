"""What somebody who teaches a prohibited concept says shows it goes to those who review."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.db import transaction

from archive.models import Asset, Concept, Event, Flag, Policy, Space
from archive.moderation import log
from archive.moderation.flagging import raise_flags
from archive.moderation.judging import judge
from archive.moderation.policies import Line, find_concept_threshold, lines_of
from archive.moderation.quarantine import hold_assets
from archive.vectors import read_vectors

if TYPE_CHECKING:
    from django.contrib.auth.models import User

WHY = "Somebody who teaches this concept said that it is here."
ANY_SCORE = float("-inf")


@transaction.atomic
def flag_confirmed(concept: Concept, asset: Asset, by: User) -> None:
    """Have it reviewed, whatever its score is; hidden at once only where a policy that is on would hide it.

    What people decided of this asset stays, and so does a flag that waits already.
    """
    if not hold_assets([asset.pk]) or Flag.objects.filter(asset=asset, concept=concept).exists():
        return
    space = Space.objects.active()
    if space is None or not _flag_by_score(space, concept, asset):
        Flag.objects.create(asset=asset, concept=concept)
    flag = Flag.objects.select_related("asset__collection", "concept", "space").get(asset=asset, concept=concept)
    log.write(log.about_flag(Event.RAISED, flag, by, after=flag.state, reason=WHY))


def _flag_by_score(space: Space, concept: Concept, asset: Asset) -> int:
    """With its score and moments, where both have vectors; of frames below the line the best one names it."""
    line = _line_of(space, concept, asset)
    rows = read_vectors(space, [asset.pk])
    found = judge(space, rows, [line])
    if not found:
        low = judge(space, rows, [replace(line, review_at=ANY_SCORE)])
        found = [replace(doubt, moments=[max(doubt.moments, key=lambda one: one["score"])]) for doubt in low]
    return raise_flags(space, found)


def _line_of(space: Space, concept: Concept, asset: Asset) -> Line:
    on = list(Policy.objects.filter(concept=concept, is_on=True))
    for line in lines_of(space, on):
        if line.covers(asset.collection_id):
            return line
    usual = find_concept_threshold(concept.pk, space)
    return Line(0, concept.pk, ANY_SCORE if usual is None else usual, None, None)

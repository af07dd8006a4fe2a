"""Raising flags. A flag that people decided is never touched again, whichever model thinks what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import F

from archive.models import Event, Flag, FlagState, Space
from archive.moderation import log
from archive.moderation.moments import merged, worst_of
from archive.moderation.quarantine import hold_assets, settle_quarantine


@dataclass(frozen=True)
class Doubt:
    """What a policy finds wrong with an asset. `moments` as `Flag.moments` has them."""

    asset: int
    concept: int
    score: float
    hides: bool
    moments: list[dict[str, Any]] = field(default_factory=list)


@transaction.atomic
def raise_flags(space: Space, doubts: Sequence[Doubt]) -> int:
    """Write the doubts down; returns how many flags are new.

    A caller whose transaction locks other assets too has locked all of them, so that it is done in one order.
    An open flag learns what is worse: a higher score of the same space, more moments, that it has to be hidden.
    """
    if not doubts:
        return 0
    there = set(hold_assets(doubt.asset for doubt in doubts))
    wanted = {(doubt.asset, doubt.concept): doubt for doubt in doubts if doubt.asset in there}
    assets = {asset for asset, _ in wanted}
    known = Flag.objects.filter(asset__in=assets, concept__in={concept for _, concept in wanted})
    flags = {(flag.asset_id, flag.concept_id): flag for flag in known.select_for_update()}
    new = [_flag(space, doubt) for key, doubt in wanted.items() if key not in flags]
    Flag.objects.bulk_create(new)
    worse = [flag for key, flag in flags.items() if key in wanted and _learn(flag, space, wanted[key])]
    log.write_all(
        log.about_flag(Event.HIDDEN if flag.hides else Event.RAISED, flag, after=flag.state)
        for flag in _with_names([flag.pk for flag in (*new, *worse)])
    )
    settle_quarantine(assets)
    return len(new)


def _flag(space: Space, doubt: Doubt) -> Flag:
    return Flag(
        asset_id=doubt.asset,
        concept_id=doubt.concept,
        space=space,
        score=doubt.score,
        hides=doubt.hides,
        moments=worst_of(doubt.moments),
    )


def _learn(flag: Flag, space: Space, doubt: Doubt) -> bool:
    """Returns whether it is hidden from now on. A model never shows what another one hid: people do."""
    if flag.state != FlagState.OPEN:
        return False
    another = flag.space_id != space.pk
    hides = doubt.hides and not flag.hides
    if not (another or hides or flag.score is None or doubt.score > flag.score or doubt.moments != flag.moments):
        return False
    moments = worst_of(doubt.moments) if another else merged(flag.moments, doubt.moments)
    score = doubt.score if another or flag.score is None else max(flag.score, doubt.score)
    Flag.objects.filter(pk=flag.pk).update(
        space=space,
        score=score,
        moments=moments,
        hides=flag.hides or doubt.hides,
        version=F("version") + (1 if hides else 0),  # worth another look; the rest is not
    )
    return hides


def _with_names(flags: list[int]) -> list[Flag]:
    found = Flag.objects.filter(pk__in=flags).order_by("pk")
    return list(found.select_related("asset__collection", "concept", "space").defer("asset__exif", "asset__notes"))


def dismissed_or_upheld(assets: Sequence[int], concept: int) -> dict[int, bool]:
    """What people said of these assets: whether the concept is there."""
    decided = Flag.objects.filter(asset__in=assets, concept=concept).exclude(state=FlagState.OPEN)
    return {asset: state == FlagState.UPHELD for asset, state in decided.values_list("asset", "state")}

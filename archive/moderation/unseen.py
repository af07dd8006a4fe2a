"""What was held until it was looked at, and never was to its end: people look, since nothing else can."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Exists, F, OuterRef, Q

from archive.models import Asset, Event, Flag, FlagState, Policy
from archive.moderation import log

HIDING = Q(state=FlagState.UPHELD) | Q(state=FlagState.OPEN, hides=True)
WHY = "Nothing could look at this to its end. {error}"


def flag_unseen(assets: Sequence[int]) -> None:
    """A hiding flag on each of `assets` for every policy that holds new uploads there. The caller holds the assets.

    What a flag hides already is left to that one, and what people decided is theirs.
    """
    hidden = Flag.objects.filter(HIDING, asset=OuterRef("pk"))
    for asset in Asset.objects.filter(~Exists(hidden), pk__in=assets).select_related("collection").order_by("pk"):
        here = Q(everywhere=True) | Q(collections=asset.collection_id)
        holding = Policy.objects.filter(here, is_on=True, holds_new=True).distinct()
        for policy in holding.select_related("concept").order_by("pk"):
            flag, new = Flag.objects.get_or_create(asset=asset, concept=policy.concept, defaults={"hides": True})
            if not new and flag.state != FlagState.OPEN:
                continue
            if not new:
                Flag.objects.filter(pk=flag.pk).update(hides=True, version=F("version") + 1)
            log.write(log.about_flag(Event.HIDDEN, flag, after=flag.state, reason=WHY.format(error=asset.error)[:500]))

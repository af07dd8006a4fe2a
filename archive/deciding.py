"""What people decide about near-duplicates: keep the best, keep some, dismiss, undo."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now

from archive import trash
from archive.duplicates import goodness
from archive.models import Asset, Decision, DuplicatePair, PairState


class NotDecided(Exception):
    """Nothing was changed; the words are for people."""


class GroupGone(NotDecided):
    def __init__(self) -> None:
        super().__init__("This group is not open any more: somebody decided it, or its pictures went elsewhere.")


class NothingKept(NotDecided):
    def __init__(self) -> None:
        super().__init__("Choose at least one picture to keep.")


class NotYours(NotDecided):
    def __init__(self, collection: str) -> None:
        super().__init__(f"You do not curate “{collection}”, so its pictures stay. Keep them, or dismiss the group.")


@transaction.atomic
def keep(user: User, members: Sequence[uuid.UUID], kept: Sequence[uuid.UUID]) -> Decision:
    """Keep some of a group and trash the others. Raises `NothingKept`, `NotYours`, `GroupGone`."""
    pairs, assets = _locked(user, members)
    staying = [asset for asset in assets if asset.uuid in set(kept)]
    going = [asset for asset in assets if asset.uuid not in set(kept)]
    if not staying:
        raise NothingKept
    curated = set(Asset.objects.curated_by(user).filter(pk__in=[a.pk for a in going]).values_list("pk", flat=True))
    for asset in going:
        if asset.pk not in curated:
            raise NotYours(asset.collection.name)
    made = _decide(user, pairs, PairState.RESOLVED, [asset.pk for asset in going])
    trash.trash_since(Asset.objects.filter(pk__in=made.trashed), made.made_at)
    return made


@transaction.atomic
def keep_best(user: User, members: Sequence[uuid.UUID]) -> Decision:
    """Keep the best of a group (`goodness`) and trash the others. Raises `NotYours`, `GroupGone`."""
    _, assets = _locked(user, members)
    return keep(user, members, [min(assets, key=goodness).uuid])


@transaction.atomic
def dismiss(user: User, members: Sequence[uuid.UUID]) -> Decision:
    """All of a group stay, and it is not shown again. Raises `GroupGone`."""
    pairs, _ = _locked(user, members)
    return _decide(user, pairs, PairState.DISMISSED, [])


@transaction.atomic
def undo(user: User, decision: int) -> tuple[int, int]:
    """Back to before: out of the trash, and the group is open again. Raises `GroupGone` where it was undone already.

    How many came out, and how many stay there: somebody put them there again since.
    """
    made = Decision.objects.select_for_update().filter(pk=decision, person=user, undone_at__isnull=True).first()
    if made is None:
        raise GroupGone
    ours = Asset.objects.curated_by(user).filter(pk__in=made.trashed)
    again = ours.filter(trashed_at__gt=made.made_at).count()
    out = trash.restore(ours.filter(trashed_at__lte=made.made_at))
    made.pairs.update(state=PairState.OPEN, decision=None)
    Decision.objects.filter(pk=made.pk).update(undone_at=Now())
    return out, again


def last_decision(user: User) -> Decision | None:
    """The one that `undo` would take back first."""
    return Decision.objects.filter(person=user, undone_at__isnull=True).order_by("-pk").first()


def _locked(user: User, members: Sequence[uuid.UUID]) -> tuple[list[int], list[Asset]]:
    """The open pairs among `members` that are `user`'s to decide, and their assets, held until the end.

    Two people who decide overlapping groups at once take turns: the second finds what the first left.
    """
    among = Asset.objects.filter(uuid__in=members).order_by("pk")
    list(among.select_for_update(no_key=True).values_list("pk"))
    inside = among.order_by().values("pk")
    pairs = list(
        DuplicatePair.objects.decided_by(user)
        .filter(low__in=inside, high__in=inside, state=PairState.OPEN)
        .values_list("pk", "low", "high")
    )
    if not pairs:
        raise GroupGone
    ids = {asset for _, low, high in pairs for asset in (low, high)}
    assets = Asset.objects.filter(pk__in=ids).select_related("collection").defer("exif", "notes")
    return [pk for pk, _, _ in pairs], list(assets)


def _decide(user: User, pairs: Sequence[int], state: PairState, trashed: list[int]) -> Decision:
    made = Decision.objects.create(person=user, trashed=trashed)
    DuplicatePair.objects.filter(pk__in=pairs).update(state=state, decision=made)
    return made

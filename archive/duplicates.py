"""Near-duplicates as people see them: pairs that hang together as groups, the best first.

Groups are made of the pairs that the asker may see, and of no others: two pictures that only a hidden third one
connects are in no group, for their being together would tell of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.db.models import Q

from archive.components import components
from archive.models import Asset, DuplicatePair, Likeness, PairState

if TYPE_CHECKING:
    from archive.models.duplicates import DuplicatePairQuerySet

# So many of the newest pairs are grouped at a time; as they are decided, older ones follow.
WINDOW = 2000
# Of a larger group the first are shown; the others follow once these are decided.
MOST_MEMBERS = 24
# Bits of PDQ: what another size or compression changes, and what its authors advise for "the same picture".
HARDLY, ADVISED = 8, 31


@dataclass(frozen=True)
class Member:
    """A picture of a group. `why`: what makes the first one the best, in a word or two."""

    asset: Asset
    curated: bool  # by the asker, who may therefore trash it
    best: bool = False
    why: str = ""


@dataclass(frozen=True)
class Group:
    """Look-alikes of one kind, the best first. `distance`: most bits that differ between two that are a pair."""

    kind: Likeness
    members: tuple[Member, ...]
    distance: int
    more: int = 0  # so many are not shown

    @property
    def key(self) -> str:
        return str(self.members[0].asset.uuid)

    @property
    def across(self) -> bool:
        """Whether they lie in several collections, which other people may see than this one."""
        return len({member.asset.collection_id for member in self.members}) > 1

    @property
    def mine(self) -> bool:
        """Whether the asker may decide it."""
        return any(member.curated for member in self.members)

    @property
    def apart(self) -> str:
        """How much the look of two of them differs at most, in words."""
        if self.distance <= HARDLY:
            return "hardly a visible difference"
        return "small differences" if self.distance <= ADVISED else "cropped or edited"

    @property
    def best_alone(self) -> bool:
        """Whether the asker may trash all but the best. Of what is only similar, none is the best."""
        return self.kind != Likeness.SIMILAR and all(member.curated for member in self.members[1:])


@dataclass(frozen=True)
class Page:
    groups: list[Group]
    total: int  # groups of this kind, among the newest pairs
    more: bool


def find_groups(user: User, kind: Likeness, start: int = 0, count: int = 10) -> Page:
    """What is `user`'s to decide, the newest first."""
    pairs = DuplicatePair.objects.decided_by(user).filter(state=PairState.OPEN, kind=kind).order_by("-pk")[:WINDOW]
    rows = [(low, high, distance or 0) for low, high, distance in pairs.values_list("low", "high", "distance")]
    found = components((low, high) for low, high, _ in rows)
    groups = _groups(user, kind, found[start : start + count], rows)
    return Page(groups, len(found), len(found) > start + count)


def groups_around(user: User, asset: Asset) -> list[Group]:
    """The groups that `asset` is part of, one a kind at most. For everybody who sees it."""
    found = []
    rows = list(pairs_of(user, asset).values_list("kind", "low", "high", "distance"))
    for kind in Likeness:
        own = [(low, high, distance or 0) for of, low, high, distance in rows if of == kind]
        found += _groups(user, kind, components((low, high) for low, high, _ in own), own)
    return found


def pairs_of(user: User, asset: Asset) -> DuplicatePairQuerySet:
    """The open pairs of an asset that `user` may see."""
    own = DuplicatePair.objects.filter(Q(low=asset.pk) | Q(high=asset.pk), state=PairState.OPEN)
    return own.visible_to(user)


@dataclass(frozen=True)
class Lookalike:
    """One of the pictures that look like another; distance and closeness as the pair has them."""

    asset: Asset
    kind: str
    distance: int | None
    closeness: float | None


def lookalikes(user: User, asset: Asset) -> list[Lookalike]:
    """What looks like `asset` and may be seen by `user`: the same picture first, then bursts, then what is similar."""
    pairs = list(pairs_of(user, asset).values_list("low", "high", "kind", "distance", "closeness"))
    others = Asset.objects.visible_to(user).select_related("collection", "uploader")
    assets = others.in_bulk([high if low == asset.pk else low for low, high, *_ in pairs])
    found = [
        Lookalike(assets[other], kind, distance, closeness)
        for low, high, kind, distance, closeness in pairs
        for other in [high if low == asset.pk else low]
        if other in assets
    ]
    return sorted(found, key=lambda one: (list(Likeness).index(Likeness(one.kind)), goodness(one.asset)))


def count_pairs(user: User) -> dict[str, int]:
    """How many pairs of each kind are `user`'s to decide, up to WINDOW: nobody needs to know it of more."""
    open_ones = DuplicatePair.objects.decided_by(user).filter(state=PairState.OPEN).order_by("-pk")
    return {kind: open_ones.filter(kind=kind)[:WINDOW].count() for kind in Likeness}


def _groups(
    user: User, kind: Likeness, found: Sequence[Sequence[int]], rows: Sequence[tuple[int, int, int]]
) -> list[Group]:
    ids = [asset for group in found for asset in group]
    sizes = Asset.objects.visible_to(user).filter(pk__in=ids).order_by()
    known = {row[-1]: row for row in sizes.values_list("width", "height", "size", "added_at", "pk")}
    ranked = [sorted((known[pk] for pk in group if pk in known), key=_goodness) for group in found]
    shown = [row[-1] for members in ranked for row in members[:MOST_MEMBERS]]
    assets = Asset.objects.select_related("collection").defer("exif", "notes").in_bulk(shown)
    curated = set(Asset.objects.curated_by(user).filter(pk__in=shown).values_list("pk", flat=True))
    return [
        _group(kind, [assets[row[-1]] for row in members[:MOST_MEMBERS]], len(members), curated, rows)
        for members in ranked
        if len(members) > 1
    ]


def _group(
    kind: Likeness, shown: list[Asset], count: int, curated: set[int], rows: Sequence[tuple[int, int, int]]
) -> Group:
    inside = {asset.pk for asset in shown}
    why = why_best(shown[0], shown[1])
    return Group(
        kind=kind,
        members=tuple(
            Member(asset, asset.pk in curated, best=place == 0, why=why if place == 0 else "")
            for place, asset in enumerate(shown)
        ),
        distance=max((distance for low, high, distance in rows if {low, high} <= inside), default=0),
        more=count - len(shown),
    )


def goodness(asset: Asset) -> tuple[int, int, float, int]:
    """The best sorts first: most pixels, then most bytes, then the one that is here longest."""
    return _goodness((asset.width, asset.height, asset.size, asset.added_at, asset.pk))


def _goodness(row: tuple[int | None, int | None, int, datetime, int]) -> tuple[int, int, float, int]:
    width, height, size, added_at, pk = row
    return -(width or 0) * (height or 0), -size, added_at.timestamp(), pk


def why_best(best: Asset, second: Asset) -> str:
    ours, theirs = goodness(best), goodness(second)
    if ours[0] != theirs[0]:
        return "most pixels"
    return "largest file" if ours[1] != theirs[1] else "here longest"

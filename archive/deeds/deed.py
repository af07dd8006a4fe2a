"""The shape that all deeds have."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet

from archive.models import Asset, Batch

if TYPE_CHECKING:
    from django.contrib.auth.models import User

NOT_YOURS = "You do not curate its collection any more."
TRASHED = "It lies in the trash by now."


class Refused(Exception):
    """It cannot be done, or not go on; the message says why, for people. `name` is what was wrong, if one thing was."""

    def __init__(self, sentence: str, name: str = "") -> None:
        super().__init__(sentence)
        self.name = name


@dataclass
class Outcome:
    """What became of assets: `done` with what undoing needs, `left` with the reason.

    Assets in neither were not come to: they wait for the next turn.
    """

    done: dict[int, Any] = field(default_factory=dict)
    left: dict[int, str] = field(default_factory=dict)


class Deed(ABC):
    """Each method is called inside the transaction that also writes the items."""

    chunk = 200

    def read(self, arguments: dict[str, Any], user: User) -> dict[str, Any]:
        """Arguments as a batch keeps them. Raises `Refused`, naming the wrong one."""
        return {}

    def open_to(self, user: User) -> QuerySet[Asset]:
        """The assets to which `user` may do this now."""
        return Asset.objects.curated_by(user).filter(trashed_at__isnull=True)

    def why_not(self, assets: Iterable[Asset], user: User) -> dict[int, str]:
        """Why these assets are not among those of `open_to` any more."""
        curated = set(Asset.objects.curated_by(user).filter(pk__in=[a.pk for a in assets]).values_list("pk", flat=True))
        return {asset.pk: TRASHED if asset.pk in curated else NOT_YOURS for asset in assets}

    def accept(self, batch: Batch) -> None:  # noqa: B027  most need no more
        """A last look at the whole before it is kept. Raises `Refused`."""

    def hold(self, batch: Batch, before: Iterable[Any] | None) -> None:  # noqa: B027  most need none
        """Locks that come before those of the assets; `before` is what undoing is given, None when applying."""

    def hold_first(self, assets: Sequence[int]) -> None:  # noqa: B027  most need none
        """Locks on what belongs to these assets, where others take them before those of the assets."""

    @abstractmethod
    def apply(self, batch: Batch, assets: list[Asset]) -> Outcome:
        """Do it to these assets, which the batch holds."""

    def finish(self, batch: Batch) -> None:  # noqa: B027  most leave nothing to do
        """All assets are through."""

    @abstractmethod
    def undo(self, batch: Batch, before: dict[int, Any]) -> Outcome:
        """Put assets back as they were, but not what somebody changed since."""


def chosen(assets: Iterable[Asset] | Iterable[int]) -> QuerySet[Asset]:
    return Asset.objects.filter(pk__in=[asset if isinstance(asset, int) else asset.pk for asset in assets])

"""An archive with a policy on a prohibited concept: what comes to it, what it hides, and the checks that it makes."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User

from archive.concepts.scoring import score
from archive.concepts.vectors import find_concept_vectors
from archive.models import Asset, Collection, Concept, Policy, PolicyLine, Space
from archive.moderation.checking import work_on_next_check
from archive.noticing import notice
from archive.vectors import read_vectors
from tests.prepared import Rows, make_encoded


@dataclass(frozen=True)
class Scene:
    """An archive of sixty pictures, and a prohibited concept that was read for it."""

    space: Space
    harbour: Collection
    concept: Concept
    policy: Policy
    assets: list[Asset]
    alice: User

    def vector(self) -> Rows:
        """(1, 768): a picture of nothing but the concept."""
        return find_concept_vectors(self.space, [self.concept]).vectors

    def scores(self, rows: Rows) -> list[float]:
        found: list[float] = score(rows, find_concept_vectors(self.space, [self.concept]))[:, 0].tolist()
        return found

    def line(self, review_at: float, quarantine_at: float | None = None) -> None:
        PolicyLine.objects.update_or_create(
            policy=self.policy, space=self.space, defaults={"review_at": review_at, "quarantine_at": quarantine_at}
        )

    def come(self, rows: Rows, *, collection: Collection | None = None, prefix: str = "new") -> list[Asset]:
        """Pictures whose vectors are stored, and noticed, as the workers do it."""
        assets = make_encoded(collection or self.harbour, self.space, rows, prefix=prefix)
        notice(self.space, read_vectors(self.space, [asset.pk for asset in assets]))
        return assets


def work() -> None:
    while work_on_next_check():
        pass


def hidden() -> set[int]:
    return set(Asset.objects.filter(quarantined=True).values_list("pk", flat=True))

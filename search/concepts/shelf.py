"""All concepts that somebody keeps, as a tree, with what they came to so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count

from archive.concepts.keeping import in_tree_order, kept_by
from archive.models import Asset, Concept, ConceptPass, Tag, TagState
from archive.models.concept_vectors import GOING

if TYPE_CHECKING:
    from archive.models.collections import Person

MOST = 1000


@dataclass(frozen=True)
class Row:
    """`depth` in the tree; counts are of assets that the person may see. `walks`: the archive is looked through."""

    concept: Concept
    depth: int
    carried: int
    proposed: int
    walks: bool


def shelf(user: Person) -> list[Row]:
    """In four statements, however many there are."""
    kept = list(kept_by(user).prefetch_related("scope")[:MOST])
    seen = Asset.objects.visible_to(user).order_by().values("pk")
    tags = Tag.objects.filter(concept__in=kept, asset__in=seen).order_by()
    counts = {(c, s): n for c, s, n in tags.values_list("concept", "state").annotate(n=Count("pk"))}
    walking = set(ConceptPass.objects.filter(state__in=GOING).values_list("concepts", flat=True))
    return [
        Row(
            concept,
            depth,
            counts.get((concept.pk, TagState.ACCEPTED), 0),
            counts.get((concept.pk, TagState.PROPOSED), 0),
            concept.pk in walking,
        )
        for depth, concept in in_tree_order(kept)
    ]

"""The vocabulary as a table: one line for each concept."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from django.db.models import QuerySet

from archive.exchange.concept_evidence import EVIDENCE, evidence_of
from archive.exchange.lines import Columns
from archive.exchange.writing import Row
from archive.models import Concept
from archive.tags import seen_tags

if TYPE_CHECKING:
    from archive.models.collections import Person

LISTS = ("prompts", "templates", "negatives", "scope")
VOCABULARY = Columns(known=("name", "kind", "on_match", "parent", *LISTS, *EVIDENCE, "note", "slug"), needed=("name",))
CHUNK = 500


def concepts_open_to(user: Person) -> QuerySet[Concept]:
    """All of them for whoever runs the archive; for others the tags on what they may see."""
    if user.is_authenticated and user.is_superuser:
        return Concept.objects.all()
    return seen_tags(user)


def concept_rows(user: Person) -> Iterator[Row]:
    """By name. Scope, parent, thresholds and examples of what somebody merely sees are not told: they name what is
    elsewhere."""
    everything = user.is_authenticated and user.is_superuser
    found = concepts_open_to(user).select_related("parent").prefetch_related("scope").order_by("folded")
    for concept, evidence in _with_evidence(found, everything=everything):
        row: Row = {"name": concept.name, "kind": concept.kind, "slug": concept.slug}
        if everything:
            row |= {"on_match": concept.on_match, "parent": concept.parent.name if concept.parent else ""}
            row |= {name: list(getattr(concept, name)) for name in ("prompts", "templates", "negatives")}
            row |= {"scope": sorted(place.slug for place in concept.scope.all()), "note": concept.note}
            row |= evidence
        yield row


def _with_evidence(found: QuerySet[Concept], *, everything: bool) -> Iterator[tuple[Concept, dict[str, list[str]]]]:
    concepts = found.iterator(chunk_size=CHUNK)
    while some := list(islice(concepts, CHUNK)):
        evidence = evidence_of(some) if everything else {}
        yield from ((concept, evidence.get(concept.pk, {})) for concept in some)

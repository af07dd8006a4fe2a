"""Judging: which pictures are asked about next, and what somebody said of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from django.db import transaction

from archive.concepts.heads import judgements, most_informative
from archive.concepts.passes import mark_due
from archive.concepts.vectors import find_concept_vectors
from archive.models import DIMENSIONS, Asset, Concept, ConceptHead, ConceptKind, Space, Tag, TagState
from archive.moderation.confirming import flag_confirmed
from archive.tags import forget_judgement, judge_tag
from archive.vectors import asset_vectors
from search.concepts.preview import score_seen
from search.neighbours import tables_that_may_go
from search.spaces import active_space, asked_again

if TYPE_CHECKING:
    from django.contrib.auth.models import User

TRAY = 12
DOUBTFUL = 8 * TRAY


class Unjudgeable(Exception):
    """There is nothing to judge it by yet; the sentence says why."""

    def __init__(self) -> None:
        super().__init__("The model has not read the words of this concept yet. Come back in a moment.")


@dataclass(frozen=True)
class Tray:
    """`doubtful`: the next judgements that would teach most. `likely`: the best that nobody judged."""

    doubtful: list[Asset]
    likely: list[Asset]


def lay_tray(concept: Concept, user: User) -> Tray:
    """From what `user` curates. Raises `Unjudgeable`, and `NotAnswered` and its kin."""

    def look() -> Tray:
        space = active_space()
        made = find_concept_vectors(space, [concept])
        if not len(made):
            raise Unjudgeable
        scored = score_seen(space, made, list(concept.scope.all()), user, curated=True)
        judged = set(Tag.objects.decided().filter(concept=concept).values_list("asset_id", flat=True))
        judged |= set(concept.examples.values_list("asset_id", flat=True))
        line = float(made.thresholds[0])
        open_ones = np.array([asset not in judged for asset in scored.assets], dtype=np.bool_)
        assets, scores = np.asarray(scored.assets, dtype=np.int64)[open_ones], scored.scores[open_ones]
        near = np.argsort(np.abs(scores - line))[:DOUBTFUL]
        with tables_that_may_go():
            vectors = asset_vectors(space, assets[near].tolist())
        kept = [n for n in near.tolist() if int(assets[n]) in vectors]
        rows = np.asarray([vectors[int(assets[n])] for n in kept], dtype=np.float32).reshape(len(kept), DIMENSIONS)
        doubtful = most_informative(assets[kept].tolist(), rows, scores[kept], line, judged, TRAY)
        likely = [pk for pk in assets[np.argsort(-scores)].tolist() if pk not in doubtful][:TRAY]
        known = Asset.objects.visible_to(user).in_bulk([*doubtful, *likely])
        return Tray([known[pk] for pk in doubtful if pk in known], [known[pk] for pk in likely if pk in known])

    return asked_again(look)


@transaction.atomic
def judge(concept: Concept, asset: Asset, says: str, user: User) -> None:
    """`says` is yes, no or forget. Who may has been asked. What is said to show a prohibited concept is reviewed."""
    this = Asset.objects.filter(pk=asset.pk)
    match says:
        case "yes":
            judge_tag(this, concept, TagState.ACCEPTED, user)
            if concept.kind == ConceptKind.PROHIBITED:
                flag_confirmed(concept, asset, user)
        case "no":
            judge_tag(this, concept, TagState.REJECTED, user)
        case _:
            forget_judgement(this, concept)
            mark_due([concept])


def count_judged(concept: Concept) -> tuple[int, int]:
    """How often people said yes, and no, as far as it learns from that."""
    judged = judgements(concept)
    return judged.filter(state=TagState.ACCEPTED).count(), judged.filter(state=TagState.REJECTED).count()


def versions(concept: Concept, space: Space | None) -> list[ConceptHead]:
    return list(ConceptHead.objects.filter(concept=concept, space=space).order_by("-version")) if space else []

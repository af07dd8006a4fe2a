"""Who keeps concepts, and what saving one does: its words are read, then stored vectors are walked over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Q, QuerySet

from archive import dispatch
from archive.concepts.heads import choose_head_line, fall_back_to_words, find_head, is_reworded
from archive.concepts.passes import mark_due
from archive.concepts.ruling import ask_leave, tell_differences
from archive.concepts.vectors import examples_of, learnt_line
from archive.models import (
    Asset,
    Collection,
    Concept,
    ConceptExample,
    ConceptKind,
    ConceptVector,
    OnMatch,
    Space,
    Step,
    Tag,
    TagSource,
)
from archive.models.collections import CURATING
from archive.tags import free_slug

if TYPE_CHECKING:
    from archive.models.collections import Person


class CannotKeep(Exception):
    """What was asked for would not hold together; the sentence says why."""


@dataclass(frozen=True)
class Surroundings:
    """What belongs to a concept beside its own fields. `line`: the score from which it is there, None: calibrated."""

    scope: list[Collection] = field(default_factory=list)
    examples: list[Asset] = field(default_factory=list)
    counters: list[Asset] = field(default_factory=list)
    line: float | None = None


def may_keep(user: Person) -> bool:
    """Whoever curates a collection keeps concepts for what they curate; superusers for all."""
    return bool(user.is_authenticated) and (user.is_superuser or Collection.objects.open_to(user, CURATING).exists())


def kept_by(user: Person) -> QuerySet[Concept]:
    """The concepts that `user` may change: superusers all, others those that look in their own collections only."""
    if user.is_authenticated and user.is_superuser:
        return Concept.objects.all()
    mine = Collection.objects.open_to(user, CURATING).order_by().values("pk")
    scoped = Concept.objects.annotate(
        looked=Count("scope", distinct=True), strange=Count("scope", filter=~Q(scope__in=mine), distinct=True)
    )
    return Concept.objects.filter(pk__in=scoped.filter(looked__gt=0, strange=0).order_by().values("pk"))


@transaction.atomic
def keep(concept: Concept, around: Surroundings, by: User) -> Concept:
    """Save a concept as it is meant to be from now on, and have the archive looked through again.

    Raises `CannotKeep`, `NotYours`.
    """
    ask_leave(concept, by)
    if not by.is_superuser:
        _stay_at_home(around, by)
        _leave_to_others(concept)
    if makes_a_circle(concept):
        raise CannotKeep("A concept cannot lie below itself. Choose another parent.")
    was = Concept.objects.filter(pk=concept.pk).first()
    had = [] if was is None else examples_of([was])[was.pk]
    if was is None:
        concept.slug, concept.created_by = free_slug(concept.name), by
    concept.save()
    concept.scope.set(around.scope)
    other = _show(concept, around)
    if was is not None and is_reworded(was, had, concept, examples_of([concept])[concept.pk]):
        other += ["judged by its words alone"] if fall_back_to_words([concept]) else []
    other += choose_line(concept, around.line)
    if was is not None:
        tell_differences(was, concept, by, other)
    if concept.kind != ConceptKind.TAG or concept.on_match == OnMatch.NOTHING:
        take_back_proposals(concept)
    mark_due([concept])
    transaction.on_commit(lambda: dispatch.ring(Step.ENCODE), robust=True)
    return concept


def take_effect(
    concepts: Sequence[Concept],
    before: Mapping[int, Concept],
    had: Mapping[int, list[ConceptExample]],
    more: Mapping[int, list[str]],
    by: User,
) -> None:
    """What follows from saving many: the same as `keep` does for one.

    `before` has those that were there, by id, as they were, `had` their examples; `more`, what else is another, in
    words.
    """
    examples = examples_of(concepts)
    there = [concept for concept in concepts if concept.pk in before]
    reworded = [one for one in there if is_reworded(before[one.pk], had[one.pk], one, examples[one.pk])]
    fall_back_to_words(reworded)
    for concept in there:
        tell_differences(before[concept.pk], concept, by, more.get(concept.pk, ()))
    take_back_proposals(*(one for one in there if one.kind != ConceptKind.TAG or one.on_match == OnMatch.NOTHING))
    mark_due(concepts)
    if concepts:
        transaction.on_commit(lambda: dispatch.ring(Step.ENCODE), robust=True)


def _show(concept: Concept, around: Surroundings) -> list[str]:
    """Have it shown by these examples; returns what is another than before, in words."""
    before = set(concept.examples.values_list("asset", "counter"))
    shown = dict.fromkeys(around.counters, True) | dict.fromkeys(around.examples, False)
    show_by(concept, {asset.pk: counter for asset, counter in shown.items()})
    return [] if before == {(asset.pk, counter) for asset, counter in shown.items()} else ["other examples"]


def show_by(concept: Concept, shown: Mapping[int, bool]) -> None:
    """By these assets, {id: counter-example}, and no others."""
    ConceptExample.objects.filter(concept=concept).delete()
    ConceptExample.objects.bulk_create(
        ConceptExample(concept=concept, asset_id=pk, counter=counter) for pk, counter in shown.items()
    )


def choose_line(concept: Concept, line: float | None) -> list[str]:
    """The score from which it is there in the searched space, by what decides there: a head, or the words. It is
    kept until the words are read, if need be.

    Returns what is another than before, in words.
    """
    space = Space.objects.active()
    if space is None:
        return []
    before = find_chosen(concept, space)
    if head := find_head(concept, space):
        choose_head_line(head, line)
    else:
        choose_words_line(concept, space.pk, line)
    return [] if before == line else [f"line: {as_line(line)} instead of {as_line(before)}"]


def choose_words_line(concept: Concept, space: int, line: float | None) -> None:
    """The score from which its words are there in any space, whether they were read already or not."""
    row = ConceptVector.objects.filter(concept=concept, space=space).first()
    if row is not None:
        row.chosen, row.due = line, True
        row.save()  # its version moves on
    elif line is not None:
        ConceptVector.objects.create(
            concept=concept,
            space_id=space,
            mark="",
            vector=bytes(4 * 768),
            mean=0.0,
            spread=1.0,
            line=line,
            chosen=line,
        )


def find_chosen(concept: Concept, space: Space) -> float | None:
    """The line that somebody chose for what decides in a space: a head, or the words. None: the calibrated one."""
    if head := find_head(concept, space):
        return None if head.line == learnt_line(head) else head.line
    return ConceptVector.objects.filter(concept=concept, space=space).values_list("chosen", flat=True).first()


def as_line(line: float | None) -> str:
    return "calibrated" if line is None else f"{line:.2f}"


def take_back_proposals(*concepts: Concept) -> int:
    """What a model put on or proposed and nobody judged goes, for nobody looks for it any more."""
    return Tag.objects.filter(concept__in=concepts, source=TagSource.MODEL, decided=False).delete()[0]


def makes_a_circle(concept: Concept) -> bool:
    seen = {concept.pk} - {None}
    above = concept.parent
    while above is not None:
        if above.pk in seen:
            return True
        seen.add(above.pk)
        above = above.parent
    return False


def below(concept: Concept) -> list[Concept]:
    """All that lies under a concept in the tree, the nearest first."""
    found: list[Concept] = []
    level = [concept]
    while level:
        level = list(Concept.objects.filter(parent__in=level).exclude(pk__in=[one.pk for one in found]))
        found += level
    return found


def in_tree_order(concepts: Iterable[Concept]) -> list[tuple[int, Concept]]:
    """Each with its depth, children behind their parents; one whose parent is not among them stands at the top."""
    by_parent: dict[int | None, list[Concept]] = {}
    known = {concept.pk: concept for concept in concepts}
    for concept in sorted(known.values(), key=lambda one: one.folded):
        by_parent.setdefault(concept.parent_id if concept.parent_id in known else None, []).append(concept)
    found: list[tuple[int, Concept]] = []
    waiting = [(0, concept) for concept in reversed(by_parent.get(None, []))]
    while waiting:
        depth, concept = waiting.pop()
        found.append((depth, concept))
        waiting += [(depth + 1, child) for child in reversed(by_parent.get(concept.pk, []))]
    return found


def used_elsewhere(concept: Concept) -> bool:
    """Whether assets outside of where it is looked for carry it, or were said not to: its name is theirs as well."""
    scope = concept.scope.order_by().values("pk")
    return Tag.objects.filter(concept=concept).exclude(asset__collection__in=scope).exists()


def _leave_to_others(concept: Concept) -> None:
    was = Concept.objects.filter(pk=concept.pk).first()
    if was is None or (was.name, was.kind) == (concept.name, concept.kind) or not used_elsewhere(was):
        return
    raise CannotKeep(
        f"Other collections use “{was.name}” as well: only whoever runs the archive changes its name or its kind. "
        "Leave both as they are, and save the rest."
    )


def _stay_at_home(around: Surroundings, by: User) -> None:
    mine = set(Collection.objects.open_to(by, CURATING))
    if not around.scope or set(around.scope) - mine:
        raise CannotKeep("Choose where it is looked for, among the collections that you curate.")

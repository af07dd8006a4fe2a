"""What a concept learns from thumbs: a head for each space, measured before it is used, versioned, undone at once."""

from __future__ import annotations

from collections.abc import Collection as Among
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max, QuerySet

from archive.concepts.background import read_background
from archive.concepts.learning import Words, learn
from archive.concepts.passes import start_due
from archive.concepts.ruling import ask_leave
from archive.concepts.vectors import examples_of, learnt_line, read_numbers, scopes_of, write_numbers
from archive.concepts.words import mark_of
from archive.models import (
    DIMENSIONS,
    Asset,
    Check,
    CheckState,
    Concept,
    ConceptExample,
    ConceptHead,
    ConceptVector,
    Policy,
    Space,
    Tag,
    TagState,
)
from archive.moderation.log import note_change
from archive.moderation.policies import find_running, find_trial, try_version
from archive.vectors import Vector, asset_vectors

LEAST = 4  # judgements of each kind
MOST = 200  # of each kind, the newest: somebody waits for it, and the time grows with the third power


class CannotLearn(Exception):
    """Not yet; the sentence says what is missing."""


class NotTried(Exception):
    """A policy that is on keeps the version that it was set for until another was tried; the sentence says so."""

    def __init__(self, policy: Policy, head: ConceptHead | None, trial: Check | None) -> None:
        what = "its words" if head is None else f"version {head.version}"
        super().__init__(
            f"A policy that is on looks for “{policy}”, with thresholds that were set for what judges now. What {what} "
            "would find is counted first, and nothing is flagged: when that is done look at the policy in the admin, "
            "then use it here."
        )
        self.policy, self.head, self.trial = policy, head, trial


@dataclass(frozen=True)
class Judged:
    """Assets that people judged, with their vectors (n, 768) and whether each shows the concept."""

    assets: list[int]
    vectors: Vector
    good: npt.NDArray[np.bool_]


def judgements(concept: Concept) -> QuerySet[Tag]:
    """What people said of what is shown, where the concept is looked for: whoever keeps one for their own collections
    neither counts nor learns what was said in others."""
    seen = Asset.objects.shown()
    if scope := scopes_of([concept])[concept.pk]:
        seen = seen.filter(collection__in=scope)
    said: QuerySet[Tag] = Tag.objects.decided().filter(concept=concept, asset__in=seen.order_by().values("pk"))
    return said


def find_judged(concept: Concept, space: Space) -> Judged:
    """What people accepted and rejected, and the examples; in the order of ids."""
    by_state: dict[int, bool] = {}
    for state in (TagState.ACCEPTED, TagState.REJECTED):
        newest = judgements(concept).filter(state=state).order_by("-at")
        by_state |= dict.fromkeys(newest.values_list("asset_id", flat=True)[:MOST], state == TagState.ACCEPTED)
    examples = {one.asset_id: not one.counter for one in examples_of([concept])[concept.pk]}
    shown = set(Asset.objects.shown().filter(pk__in=examples).values_list("pk", flat=True))
    by_state |= {asset: good for asset, good in examples.items() if asset in shown}
    found = asset_vectors(space, sorted(by_state))
    assets = sorted(found)
    rows = np.asarray([found[asset] for asset in assets], dtype=np.float32).reshape(len(assets), DIMENSIONS)
    return Judged(assets, rows, np.asarray([by_state[asset] for asset in assets], dtype=np.bool_))


def learn_head(concept: Concept, space: Space, by: User | None) -> ConceptHead:
    """Train the next version on all judgements there are, and use it; the archive is walked over with it.

    Under a policy that is on it is kept and not used: the thresholds were set for what judges now. Raises
    `CannotLearn`, `NotYours`.
    """
    ask_leave(concept, by)
    judged = find_judged(concept, space)
    accepted, rejected = int(judged.good.sum()), int((~judged.good).sum())
    if min(accepted, rejected) < LEAST:
        raise CannotLearn(
            f"It learns from {LEAST} pictures that show it and {LEAST} that do not, at least. "
            f"So far {accepted} were said to show it, and {rejected} not to."
        )
    row = ConceptVector.objects.made().filter(concept=concept, space=space).first()
    if row is None:
        raise CannotLearn("The model has not read the words of this concept yet. Try again in a moment.")
    background = read_background(space, scopes_of([concept])[concept.pk])
    line = row.line if row.chosen is None else row.chosen
    words = Words(read_numbers(row.vector), line, row.spread, background.pictures.mean(axis=0))
    head, measured = learn(judged.vectors, judged.good, words)
    means, spreads = background.of(head.vector[None])
    return _keep(
        ConceptHead(
            concept=concept,
            space=space,
            vector=write_numbers(head.vector),
            mean=float(means[0]),
            spread=float(spreads[0]),
            line=(head.closeness - float(means[0])) / float(spreads[0]),
            accepted=accepted,
            rejected=rejected,
            measured=asdict(measured),
            made_by=by,
        )
    )


@transaction.atomic
def _keep(head: ConceptHead) -> ConceptHead:
    Concept.objects.select_for_update().get(pk=head.concept_id)  # two who learn at once take turns
    mine = ConceptHead.objects.filter(concept=head.concept, space=head.space)
    head.version = (mine.aggregate(last=Max("version"))["last"] or 0) + 1
    head.in_use = find_running(head.concept) is None
    if not head.in_use:
        head.save()
        return head
    mine.filter(in_use=True).update(in_use=False)
    head.save()
    note_change(head.made_by, head.concept, f"judged by version {head.version} of what it learnt in {head.space}")
    _walk(head.concept, head.space)
    return head


def use_version(concept: Concept, space: Space, version: int | None, by: User | None) -> None:
    """Judge by this version from now on; None: by the words alone.

    Raises `ConceptHead.DoesNotExist`, `NotYours`, and `NotTried` where a policy is on that nobody tried with it: the
    trial is begun then.
    """
    ask_leave(concept, by)
    try:
        _use(concept, space, version, by)
    except NotTried as error:
        if error.trial is None or error.trial.state in (CheckState.STOPPED, CheckState.FAILED):
            try_version(error.policy, by, error.head)
        raise


@transaction.atomic
def _use(concept: Concept, space: Space, version: int | None, by: User | None) -> None:
    Concept.objects.select_for_update().get(pk=concept.pk)
    mine = ConceptHead.objects.filter(concept=concept, space=space)
    chosen = None if version is None else mine.get(version=version)
    policy = find_running(concept)
    trial = find_trial(policy, space, chosen) if policy else None
    if policy and (trial is None or trial.state != CheckState.DONE):
        raise NotTried(policy, chosen, trial)
    mine.filter(in_use=True).update(in_use=False)
    if chosen is not None:
        mine.filter(pk=chosen.pk).update(in_use=True)
    told = "its words alone" if version is None else f"version {version} of what it learnt"
    note_change(by, concept, f"judged by {told} in {space}")
    _walk(concept, space)


def find_head(concept: Concept, space: Space) -> ConceptHead | None:
    """The one that decides instead of the words."""
    return ConceptHead.objects.filter(concept=concept, space=space, in_use=True).first() if concept.pk else None


def choose_head_line(head: ConceptHead, line: float | None) -> None:
    """The score from which it is there; None: as it was learnt, which stays known."""
    learnt = learnt_line(head)
    head.measured, head.line = {**head.measured, "line": learnt}, learnt if line is None else line
    head.save(update_fields=["measured", "line"])


def fall_back_to_words(concepts: Iterable[Concept]) -> int:
    """Where other words were written they decide, in every space; what was learnt stays as a version."""
    return ConceptHead.objects.filter(concept__in=list(concepts), in_use=True).update(in_use=False)


def is_reworded(
    was: Concept, had: Sequence[ConceptExample], concept: Concept, examples: Sequence[ConceptExample]
) -> bool:
    """Whether another vector is made of its words and examples; where it is looked for says nothing."""
    return mark_of(was, had, ()) != mark_of(concept, examples, ())


def _walk(concept: Concept, space: Space) -> None:
    ConceptVector.objects.filter(concept=concept, space=space).update(due=True)
    transaction.on_commit(start_due, robust=True)


def most_informative(
    assets: list[int], vectors: Vector, scores: npt.NDArray[np.float32], line: float, known: Among[int], count: int
) -> list[int]:
    """The next judgements that would teach most: nearest to the line, and not near to one another.

    `vectors` (n, 768) and `scores` (n,) of `assets`; `known` were judged already.
    """
    order = [n for n in np.argsort(np.abs(scores - line)).tolist() if assets[n] not in known][: 4 * count]
    chosen: list[int] = order[:1]
    while len(chosen) < min(count, len(order)):
        rest = [n for n in order if n not in chosen]
        nearest = (vectors[rest] @ vectors[chosen].T).max(axis=1)
        doubt = np.abs(scores[rest] - line)
        chosen.append(rest[int(np.argmin(_ranks(nearest) + _ranks(doubt)))])
    return [assets[n] for n in chosen]


def _ranks(values: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
    return np.argsort(np.argsort(values, kind="stable"), kind="stable")

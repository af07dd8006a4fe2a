"""Policies: which hold where, in which space, from which score; switching them on, off and withdrawing them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.db.models import Max, Q, Subquery

from archive import dispatch
from archive.concepts.vectors import find_concept_vectors
from archive.models import (
    Asset,
    Check,
    CheckState,
    Collection,
    Concept,
    ConceptHead,
    ConceptKind,
    ConceptVector,
    Event,
    Flag,
    FlagState,
    Policy,
    Space,
)
from archive.models.moderation_checks import OPEN
from archive.moderation import log
from archive.moderation.quarantine import hold_assets, settle_quarantine

if TYPE_CHECKING:
    from django.contrib.auth.models import User

WITHDRAWN_AT_ONCE = 1000
LOCK = 3  # of advisory locks with two keys; 1 are the collections that assets move into, 2 is the vocabulary
NO_SPACE = "There is no space that is searched yet. Make one first: nothing can be looked for without."


class NotSwitched(Exception):
    """Nothing was changed; the words are for people."""


@dataclass(frozen=True)
class Line:
    """A policy in one space. `collections`: where it holds; None is everywhere."""

    policy: int
    concept: int
    review_at: float
    quarantine_at: float | None
    collections: frozenset[int] | None

    def covers(self, collection: int) -> bool:
        return self.collections is None or collection in self.collections


def lines_on(space: Space) -> list[Line]:
    """The policies that are on, for a space in which people search; none in any other.

    Waits for whoever is switching a policy, and whoever switches waits for the transactions that asked this: what
    they store is either looked at by them or found by the pass that begins then. Whoever asks holds the assets that
    are looked at already.
    """
    _take_turns("SELECT pg_advisory_xact_lock_shared(%s, 0)")
    on = Policy.objects.filter(is_on=True, concept__kind=ConceptKind.PROHIBITED)
    if not on.exists() or not Space.objects.filter(pk=space.pk, state="active").exists():
        return []
    return lines_of(space, list(on.prefetch_related("collections")))


def lines_of(space: Space, policies: Sequence[Policy]) -> list[Line]:
    """Without those that have no threshold in this space."""
    found = []
    for policy in policies:
        at = thresholds(policy, space)
        if at is not None:
            places = None if policy.everywhere else frozenset(policy.collections.values_list("pk", flat=True))
            found.append(Line(policy.pk, policy.concept_id, *at, places))
    return found


def holds_new_in(collection: Collection) -> bool:
    """Whether a policy wants uploads to this collection hidden until their vectors are there. `archive.readiness`
    shows them then, in the transaction that may have raised a flag."""
    here = Q(everywhere=True) | Q(collections=collection)
    return Policy.objects.filter(here, is_on=True, holds_new=True).exists()


def thresholds(policy: Policy, space: Space) -> tuple[float, float | None] | None:
    """From which score it is doubted, and hidden, in this space.

    Without a line of its own it is the concept's threshold, and nothing is hidden at once: a new model must not hide
    pictures before somebody has looked at what it finds.
    """
    own = policy.lines.filter(space=space).first()
    if own is not None:
        return own.review_at, own.quarantine_at
    usual = find_concept_threshold(policy.concept_id, space)
    return None if usual is None else (usual, None)


def find_concept_threshold(concept: int, space: Space) -> float | None:
    found = find_concept_vectors(space, Concept.objects.filter(pk=concept))
    return float(found.thresholds[0]) if found.ids else None


@transaction.atomic
def switch_on(policy: Policy, user: User) -> Check:
    """From now on for what comes, and in the background for what is there. Raises `NotSwitched`."""
    _take_turns("SELECT pg_advisory_xact_lock(%s, 0)")
    held = _hold(policy)
    if held.concept.kind != ConceptKind.PROHIBITED:
        raise NotSwitched(f"“{held}” is a tag. Make it a prohibited concept first.")
    was_on, held.is_on = held.is_on, True
    check = start_check(held, user)
    held.save(update_fields=["is_on", "changed_at"])
    event = Event.CHANGED if was_on else Event.SWITCHED_ON
    log.write(log.about_policy(event, held.concept, user, describe(held, check)))
    return check


@transaction.atomic
def switch_off(policy: Policy, user: User) -> None:
    """No new flags. Those that there are stay, and what they hide stays hidden, until somebody decides or withdraws."""
    _take_turns("SELECT pg_advisory_xact_lock(%s, 0)")
    held = _hold(policy)
    if not held.is_on:
        return
    held.is_on = False
    held.save(update_fields=["is_on", "changed_at"])
    _stop_checks(held, dry=False)
    log.write(log.about_policy(Event.SWITCHED_OFF, held.concept, user))


def withdraw(policy: Policy, user: User, reason: str) -> int:
    """Take back the open flags that nobody answered, for a policy that was set wrongly; returns how many.

    They leave no row, so that the same policy, set better, can raise them again. Decided ones stay.
    """
    return sum(iter(partial(_withdraw_some, policy, user, reason), 0))


@transaction.atomic
def _withdraw_some(policy: Policy, user: User, reason: str) -> int:
    untouched = Q(concept=policy.concept_id, state=FlagState.OPEN, escalated_at__isnull=True, verdicts__isnull=True)
    assets = hold_assets(Flag.objects.filter(untouched).values_list("asset", flat=True)[:WITHDRAWN_AT_ONCE])
    flags = list(
        Flag.objects.filter(untouched, asset__in=assets)
        .select_for_update(of=("self",))
        .select_related("asset__collection", "concept", "space")
        .defer("asset__exif", "asset__notes")
    )
    log.write_all(log.about_flag(Event.WITHDRAWN, flag, user, before=flag.state, reason=reason) for flag in flags)
    Flag.objects.filter(pk__in=[flag.pk for flag in flags]).delete()
    settle_quarantine(assets)
    return len(flags)


def start_check(policy: Policy, user: User | None, *, dry: bool = False) -> Check:
    """Have the whole archive looked at by a worker, or only counted, by what judges now. Raises `NotSwitched`."""
    heads = ConceptHead.objects.filter(concept=policy.concept_id, space=Space.objects.active(), in_use=True)
    return _start_check(policy, user, heads.first(), dry=dry)


def try_version(policy: Policy, user: User | None, head: ConceptHead | None) -> Check:
    """Count what it would find if `head` judged, or the words (None). Raises `NotSwitched`."""
    return _start_check(policy, user, head, dry=True)


def find_trial(policy: Policy, space: Space, head: ConceptHead | None) -> Check | None:
    """The last dry run with this version, of words as they are now."""
    checks = Check.objects.filter(policy=policy, space=space, head=head, dry=True)
    if head is None:
        made = ConceptVector.objects.filter(concept=policy.concept_id, space=space).values("made_at")
        checks = checks.filter(created_at__gte=Subquery(made))
    return checks.order_by("-pk").first()


def find_running(concept: Concept) -> Policy | None:
    """The policy that looks for it now. Waits for whoever is switching one, as `lines_on` does."""
    _take_turns("SELECT pg_advisory_xact_lock_shared(%s, 0)")
    return Policy.objects.filter(concept=concept.pk, is_on=True).select_related("concept").first()


def _start_check(policy: Policy, user: User | None, head: ConceptHead | None, *, dry: bool) -> Check:
    space = Space.objects.active()
    if space is None:
        raise NotSwitched(NO_SPACE)
    at = thresholds(policy, space)
    if at is None or find_concept_threshold(policy.concept_id, space) is None:
        raise NotSwitched(f"“{policy}” has no vector in {space} yet. Wait until its words are read, then try again.")
    _stop_checks(policy, dry=dry)
    until = Asset.objects.aggregate(last=Max("pk"))["last"] or 0
    check = Check.objects.create(
        policy=policy,
        space=space,
        dry=dry,
        head=head,
        review_at=at[0],
        quarantine_at=at[1],
        until_id=until,
        total=policy.covered().count(),
        asked_by=user,
    )
    transaction.on_commit(dispatch.ring_moderation, robust=True)
    return check


def _hold(policy: Policy) -> Policy:
    """Without its key: a worker that holds one of its checks may be writing another that names it."""
    rows = Policy.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("concept").get(pk=policy.pk)


def describe(policy: Policy, check: Check) -> str:
    """A policy's terms in words, for the log."""
    where = "everywhere" if policy.everywhere else f"in {', '.join(policy.collections.values_list('name', flat=True))}"
    hidden = "never" if check.quarantine_at is None else f"from {check.quarantine_at:.4f}"
    two = "; two reviewers" if policy.second_reviewer else ""
    return f"{where}; {check.space.slug}: reviewed from {check.review_at:.4f}, hidden at once {hidden}{two}"


def _stop_checks(policy: Policy, *, dry: bool) -> None:
    Check.objects.filter(policy=policy, dry=dry, state__in=OPEN).update(state=CheckState.STOPPED)


def _take_turns(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [LOCK])

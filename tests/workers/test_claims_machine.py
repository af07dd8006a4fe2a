"""Random histories of work against the real table: whatever happens, nothing is lost and nothing is twice."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.timezone import now
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from archive.models import Asset, Collection, Status, Step, Work, WorkState
from workers.claims import DEATHS, ERRORS, Claim, claim, finish, reap, release, set_aside, try_later


class Roll(Exception):
    """Ends a history: nothing of it stays."""


class History(RuleBasedStateMachine):
    """The model: how often each item died and failed, who holds it, and how often its result was stored."""

    held = Bundle("held")

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.deaths: dict[int, int] = {}
        self.errors: dict[int, int] = {}
        self.holder: dict[int, Claim] = {}
        self.stored: dict[int, int] = {}
        self.bad: set[int] = set()

    def teardown(self) -> None:
        self.savepoint.__exit__(Roll, Roll(), None)

    @initialize()
    def begin(self) -> None:
        self.collection = Collection.objects.create(
            slug="history", name="History", owner=User.objects.create_user("historian")
        )

    @rule(count=st.integers(1, 3))
    def add(self, count: int) -> None:
        for _ in range(count):
            asset = Asset.objects.create(
                collection=self.collection,
                sha256=uuid.uuid4().hex,
                original="originals/none",
                filename="history.jpg",
                media_type="image/jpeg",
                size=1,
            )
            work = Work.objects.create(asset=asset, step=Step.PREPARE)
            self.deaths[work.pk] = self.errors[work.pk] = self.stored[work.pk] = 0

    @rule(target=held, limit=st.integers(1, 4))
    def claim(self, limit: int) -> object:
        Work.objects.update(not_before=now() - timedelta(hours=1))  # every pause is over
        claims = claim(Step.PREPARE, "", limit, "somebody")
        for one in claims:
            assert one.work_id not in self.holder, "held by two at once"
            self.holder[one.work_id] = one
        if any(self.deaths[one.work_id] for one in claims):
            assert len(claims) == 1, "a suspect came with others"
        return multiple(*claims)

    @rule(one=held)
    def die(self, one: Claim) -> None:
        """Its worker is gone: the lease will end. The claim stays in the bundle, as a zombie's would."""
        Work.objects.filter(token=one.token).update(lease_until=now() - timedelta(hours=1))

    @rule()
    def reap(self) -> None:
        running = Work.objects.filter(state=WorkState.RUNNING)
        expired = set(running.filter(lease_until__lt=now() - timedelta(minutes=30)).values_list("pk", flat=True))
        assert reap() == len(expired)
        for pk in expired:
            del self.holder[pk]
            self.deaths[pk] += 1
            if self.deaths[pk] >= DEATHS:
                self.bad.add(pk)

    @rule(one=held)
    def finish(self, one: Claim) -> None:
        """By its holder, by a zombie, or a second time: only the holder's counts."""
        ours = finish([one])
        assert ours == ({one.work_id} if self.holds(one) else set())
        for pk in ours:
            self.stored[pk] += 1
            del self.holder[pk]

    @rule(one=consumes(held))
    def give_back(self, one: Claim) -> None:
        release([one])
        if self.holds(one):
            del self.holder[one.work_id]

    @rule(one=held)
    def fail_for_now(self, one: Claim) -> None:
        try_later(one, "The disk is away.")
        if self.holds(one):
            del self.holder[one.work_id]
            self.errors[one.work_id] += 1
            if self.errors[one.work_id] >= ERRORS:
                self.bad.add(one.work_id)

    @rule(one=held)
    def fail_for_ever(self, one: Claim) -> None:
        set_aside(one, "This JPEG is damaged.")
        if self.holds(one):
            del self.holder[one.work_id]
            self.bad.add(one.work_id)

    def holds(self, one: Claim) -> bool:
        return self.holder.get(one.work_id) == one

    @invariant()
    def the_table_says_the_same(self) -> None:
        for work in Work.objects.filter(pk__in=self.deaths).select_related("asset"):
            pk = work.pk
            assert (work.crashes, work.errors) == (self.deaths[pk], self.errors[pk])
            if pk in self.holder:
                assert (work.state, work.token) == (WorkState.RUNNING, self.holder[pk].token)
                assert work.lease_until is not None
            else:
                expected = WorkState.DONE if self.stored[pk] else WorkState.READY
                assert work.state == (WorkState.QUARANTINED if pk in self.bad else expected)
                assert (work.token, work.lease_until) == (None, None)
            assert (work.asset.status == Status.FAILED) == (pk in self.bad)
            assert bool(work.asset.error) == (pk in self.bad)
            assert work.attempts >= work.crashes + work.errors

    @invariant()
    def no_result_is_stored_twice(self) -> None:
        assert all(times <= 1 for times in self.stored.values())
        assert not any(self.stored[pk] for pk in self.bad)


@pytest.mark.django_db
def test_whatever_happens_nothing_is_lost_and_nothing_is_twice() -> None:
    run_state_machine_as_test(
        History,
        settings=settings(
            max_examples=20,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

"""The heartbeat: it keeps what is held as long as there is progress, and lets go of what hangs."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from archive.models import Collection, Work, WorkState
from tests.workers.test_claims import make_work, take
from workers import leases
from workers.claims import Claim, reap
from workers.leases import Heartbeat

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _short_lease(settings: Any) -> None:
    settings.SIGHTLINE_LEASE_SECONDS = 0.6


def wait_until(true: Callable[[], bool], seconds: float = 8) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.05)
    return False


def ends_at(one: Claim) -> Any:
    return Work.objects.values_list("lease_until", flat=True).get(pk=one.work_id)


def test_a_held_lease_outlives_its_length_while_there_is_progress(harbour: Collection) -> None:
    make_work(harbour, 2)
    claims = take()
    with Heartbeat() as heartbeat:
        heartbeat.hold(claims)
        for _ in range(8):
            time.sleep(0.2)
            heartbeat.progress()
        first = ends_at(claims[0])
        assert wait_until(lambda: ends_at(claims[0]) > first)
    assert {c.work_id for c in heartbeat.held} == {c.work_id for c in claims}


def test_a_worker_without_progress_loses_its_lease(harbour: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "STUCK_AFTER_LEASES", 1)
    make_work(harbour, 1)
    claims = take()
    with Heartbeat() as heartbeat:
        heartbeat.hold(claims)
        assert wait_until(lambda: bool(ends_at(claims[0]) < now()))
        assert reap() == 1
    assert Work.objects.get().crashes == 1


def test_what_was_dropped_is_not_renewed(harbour: Collection) -> None:
    make_work(harbour, 2)
    kept, dropped = take()
    with Heartbeat() as heartbeat:
        heartbeat.hold([kept, dropped])
        heartbeat.drop([dropped])
        before = ends_at(dropped)
        start = ends_at(kept)
        assert wait_until(lambda: ends_at(kept) > start)
    assert ends_at(dropped) == before
    assert heartbeat.held == [kept]


def test_a_lease_that_somebody_else_took_is_no_longer_held(harbour: Collection) -> None:
    make_work(harbour, 2)
    kept, lost = take()
    with Heartbeat() as heartbeat:
        heartbeat.hold([kept, lost])
        Work.objects.filter(pk=lost.work_id).update(token=uuid.uuid4(), lease_until=now() + timedelta(hours=1))
        assert wait_until(lambda: heartbeat.held == [kept])
    assert Work.objects.filter(state=WorkState.RUNNING).count() == 2

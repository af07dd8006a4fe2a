"""Claims on work: never shared, never lost, never believed after their lease."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.utils.timezone import now

from archive.models import Asset, Collection, Space, Status, Step, Work, WorkState
from archive.models.work import Priority
from workers.claims import DEATHS, ERRORS, Claim, claim, finish, reap, release, renew, set_aside, try_later

pytestmark = pytest.mark.django_db


# Inside a test's transaction the database's now() stands still: what is over must be long over.
LONG_AGO = timedelta(hours=1)


def make_work(collection: Collection, count: int, priority: Priority = Priority.BULK) -> list[Work]:
    """Assets that wait to be prepared, for an hour already."""
    assets = Asset.objects.bulk_create(
        Asset(
            collection=collection,
            sha256=uuid.uuid4().hex,
            original="originals/none",
            filename="waiting.jpg",
            media_type="image/jpeg",
            size=1,
        )
        for _ in range(count)
    )
    long_ago = now() - LONG_AGO
    return Work.objects.bulk_create(
        Work(asset=asset, step=Step.PREPARE, priority=priority, not_before=long_ago) for asset in assets
    )


def take(limit: int = 8, worker: str = "one") -> list[Claim]:
    return claim(Step.PREPARE, "", limit, worker)


def let_leases_end() -> None:
    Work.objects.filter(state=WorkState.RUNNING).update(lease_until=now() - LONG_AGO)


def skip_the_pause() -> None:
    Work.objects.update(not_before=now() - LONG_AGO)


def die_on(work: Work) -> None:
    """A worker takes it and is never heard of again."""
    skip_the_pause()
    assert work.pk in {c.work_id for c in take()}
    let_leases_end()
    reap()
    work.refresh_from_db()


@pytest.mark.django_db(transaction=True)
def test_eight_workers_at_once_never_take_the_same_item(harbour: Collection) -> None:
    make_work(harbour, 200)
    together = threading.Barrier(8)

    def work_until_empty(number: int) -> list[int]:
        taken: list[int] = []
        together.wait()
        try:
            while claims := take(7, f"worker {number}"):
                taken += [c.work_id for c in claims]
        finally:
            connections.close_all()
        return taken

    with ThreadPoolExecutor(8) as pool:
        taken = [work_id for found in pool.map(work_until_empty, range(8)) for work_id in found]
    # One whose neighbours were all locked at that moment may go home early; nothing is taken twice.
    assert len(taken) == len(set(taken))
    assert len(taken) == 200
    assert Work.objects.filter(state=WorkState.RUNNING).values("token").distinct().count() == 200


def test_the_urgent_go_first_and_then_the_oldest(harbour: Collection) -> None:
    backfill = make_work(harbour, 2, Priority.BACKFILL)
    bulk = make_work(harbour, 2, Priority.BULK)
    urgent = make_work(harbour, 2, Priority.INTERACTIVE)
    order = [take(1)[0].work_id for _ in range(6)]
    assert order == [work.pk for work in (*urgent, *bulk, *backfill)]


def test_a_claim_is_of_one_step_and_one_space_only(harbour: Collection, fake_space: Space) -> None:
    (work,) = make_work(harbour, 1)
    Work.objects.create(asset=work.asset, step=Step.ENCODE, target="fake")
    skip_the_pause()
    assert claim(Step.ENCODE, "other", 8, "one") == []
    (found,) = claim(Step.ENCODE, "fake", 8, "one")
    assert (found.asset_id, found.work_id == work.pk) == (work.asset_id, False)


def test_an_item_that_a_worker_died_on_comes_alone(harbour: Collection) -> None:
    suspect, *others = make_work(harbour, 5)
    Work.objects.filter(pk=suspect.pk).update(crashes=1)
    assert [c.work_id for c in take()] == [suspect.pk]
    assert [c.work_id for c in take()] == [work.pk for work in others]


def test_a_suspect_does_not_come_along_with_others(harbour: Collection) -> None:
    *others, suspect = make_work(harbour, 5)
    Work.objects.filter(pk=suspect.pk).update(crashes=1)
    assert {c.work_id for c in take()} == {work.pk for work in others}


def test_whoever_holds_others_gets_no_suspect(harbour: Collection) -> None:
    suspect, other = make_work(harbour, 2)
    Work.objects.filter(pk=suspect.pk).update(crashes=1)
    assert [c.work_id for c in claim(Step.PREPARE, "", 8, "busy", suspects=False)] == [other.pk]
    assert claim(Step.PREPARE, "", 8, "busy", suspects=False) == []
    (alone,) = take()
    assert (alone.work_id, alone.suspect) == (suspect.pk, True)


def test_a_death_is_counted_and_the_item_is_free_again(harbour: Collection) -> None:
    (work,) = make_work(harbour, 1)
    (held,) = take()
    assert reap() == 0  # its lease still runs
    let_leases_end()
    assert reap() == 1
    work.refresh_from_db()
    assert (work.state, work.crashes, work.attempts, work.token) == (WorkState.READY, 1, 1, None)
    assert "died 1 times" in work.last_error
    assert renew([held]) == set()


def test_the_fourth_death_sets_an_item_aside_with_a_sentence(harbour: Collection) -> None:
    (work,) = make_work(harbour, 1)
    for deaths in range(1, DEATHS):
        die_on(work)
        assert (work.state, work.crashes) == (WorkState.READY, deaths)
    die_on(work)
    assert (work.state, work.crashes) == (WorkState.QUARANTINED, 4)
    work.asset.refresh_from_db()
    assert work.asset.status == Status.FAILED
    assert work.asset.error == "The worker died 4 times while it had this file."
    skip_the_pause()
    assert take() == []


def test_a_late_finish_is_fenced(harbour: Collection) -> None:
    (work,) = make_work(harbour, 1)
    (late,) = take(worker="sleeper")
    let_leases_end()
    reap()
    skip_the_pause()
    (current,) = take(worker="other")
    assert finish([late]) == set()
    work.refresh_from_db()
    assert (work.state, work.worker, work.token) == (WorkState.RUNNING, "other", current.token)
    assert finish([current]) == {work.pk}
    assert finish([current]) == set()  # and nothing is finished twice
    assert finish([late]) == set()


def test_a_late_failure_changes_nothing_either(harbour: Collection) -> None:
    (work,) = make_work(harbour, 1)
    (late,) = take()
    let_leases_end()
    reap()
    set_aside(late, "too late")
    try_later(late, "too late")
    release([late])
    work.refresh_from_db()
    assert (work.state, work.errors, work.crashes, work.attempts) == (WorkState.READY, 0, 1, 1)


def test_a_finish_of_several_returns_only_those_still_held(harbour: Collection) -> None:
    make_work(harbour, 3)
    claims = take()
    stolen = Claim(claims[1].work_id, claims[1].asset_id, uuid.uuid4())
    assert finish([claims[0], stolen, claims[2]]) == {claims[0].work_id, claims[2].work_id}


def test_giving_back_counts_no_attempt_and_no_crash(harbour: Collection) -> None:
    (work,) = make_work(harbour, 1)
    release(take())
    work.refresh_from_db()
    assert (work.state, work.attempts, work.crashes, work.errors) == (WorkState.READY, 0, 0, 0)
    assert len(take()) == 1  # at once, without a pause


def test_a_passing_cause_pauses_longer_each_time_and_ends_at_the_eighth(harbour: Collection) -> None:
    (work,) = make_work(harbour, 1)
    pauses = []
    for errors in range(1, ERRORS):
        skip_the_pause()
        (held,) = take()
        try_later(held, "The disk is away.")
        work.refresh_from_db()
        assert (work.state, work.errors, work.crashes) == (WorkState.READY, errors, 0)
        assert take() == []  # not before its pause is over
        with connection.cursor() as cursor:
            cursor.execute("SELECT extract(epoch FROM not_before - now()) FROM archive_work WHERE id = %s", [work.pk])
            pauses.append(float(cursor.fetchone()[0]))
    for number, pause in enumerate(pauses):
        assert 0.5 * 2**number <= pause <= 1.5 * 2**number
    skip_the_pause()
    (held,) = take()
    try_later(held, "The disk is away.")
    work.refresh_from_db()
    assert (work.state, work.errors) == (WorkState.QUARANTINED, ERRORS)
    work.asset.refresh_from_db()
    assert (work.asset.status, work.asset.error) == (Status.FAILED, "The disk is away.")


def test_the_asset_follows_its_work(harbour: Collection, fake_space: Space) -> None:
    (work,) = make_work(harbour, 1)
    asset = work.asset
    (held,) = take()
    set_aside(held, "This JPEG is damaged.")
    asset.refresh_from_db()
    assert (asset.status, asset.error) == (Status.FAILED, "This JPEG is damaged.")


def test_a_renewal_lengthens_the_lease_and_names_what_was_lost(harbour: Collection) -> None:
    make_work(harbour, 2)
    kept, lost = take()
    Work.objects.filter(pk=kept.work_id).update(lease_until=now() + timedelta(seconds=1))
    Work.objects.filter(pk=lost.work_id).update(token=uuid.uuid4())
    assert renew([kept, lost]) == {kept.token}
    work = Work.objects.get(pk=kept.work_id)
    assert work.lease_until is not None
    assert work.lease_until > now() + timedelta(seconds=2)


def test_only_expired_leases_are_reaped(harbour: Collection) -> None:
    make_work(harbour, 4)
    claims = take()
    Work.objects.filter(pk=claims[0].work_id).update(lease_until=now() - LONG_AGO)
    assert reap() == 1
    assert Work.objects.filter(state=WorkState.RUNNING).count() == 3

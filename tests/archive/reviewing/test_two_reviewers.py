"""Two reviewers of one flag: blind to each other, of one mind or not, and at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from archive.models import Answer, Asset, Event, Flag, FlagState, LogEntry, Policy, Verdict
from archive.moderation.agreement import agreement_on, measure
from archive.moderation.reviewing import AnsweredMeanwhile, NotYoursToCorrect, answer, escalate, take_back
from tests.archive.reviewing.afterwards import hidden

pytestmark = pytest.mark.django_db
UPHOLD, DISMISS = Answer.UPHOLD, Answer.DISMISS


@pytest.fixture
def twice(flag: Flag, policy: Policy) -> Flag:
    Policy.objects.update(second_reviewer=True)
    return flag


def test_the_second_reviewer_decides_where_both_agree(twice: Flag, asset: Asset, carol: User, dave: User) -> None:
    assert answer(carol, twice.pk, DISMISS, 1).state == FlagState.OPEN
    assert hidden(asset)
    assert not Flag.objects.waiting_for(carol).exists()
    assert answer(dave, twice.pk, DISMISS, 1).state == FlagState.DISMISSED
    assert not hidden(asset)


def test_nobody_is_both_reviewers(twice: Flag, carol: User) -> None:
    answer(carol, twice.pk, DISMISS, 1)
    assert answer(carol, twice.pk, UPHOLD, 1).state == FlagState.OPEN
    assert Verdict.objects.get().answer == UPHOLD


def test_where_two_disagree_an_owner_decides(twice: Flag, alice: User, carol: User, dave: User) -> None:
    answer(carol, twice.pk, DISMISS, 1)
    held = answer(dave, twice.pk, UPHOLD, 1, "Look at the hand.")
    assert held.state == FlagState.OPEN
    assert held.escalated_at
    assert Flag.objects.waiting_for(alice).get() == twice
    assert answer(alice, twice.pk, UPHOLD, held.version).state == FlagState.UPHELD
    with pytest.raises(NotYoursToCorrect):
        answer(carol, twice.pk, DISMISS, 3, "No.")


def test_the_first_answer_is_hidden_from_the_second_reviewer(twice: Flag, alice: User, carol: User, dave: User) -> None:
    answer(carol, twice.pk, DISMISS, 1)
    for person in (alice, carol, dave):
        mine = LogEntry.objects.visible_to(person).filter(asset=twice.asset.uuid)
        assert Event.ANSWERED not in mine.values_list("event", flat=True)
    answer(dave, twice.pk, DISMISS, 1)
    told = LogEntry.objects.visible_to(dave).filter(asset=twice.asset.uuid)
    assert list(told.order_by("id").values_list("event", flat=True)) == [
        *(Event.HIDDEN, Event.ANSWERED, Event.DISMISSED)
    ]


def test_who_takes_back_the_end_of_a_dispute_leaves_both_blind_answers(
    twice: Flag, policy: Policy, alice: User, carol: User, dave: User
) -> None:
    answer(carol, twice.pk, DISMISS, 1)
    owner = twice.asset.collection.owner
    held = answer(owner, twice.pk, UPHOLD, 1, "Look at the hand.")
    answer(owner, twice.pk, UPHOLD, held.version, "And at the other.")
    back = take_back(owner, twice.pk)
    assert (back.state, bool(back.escalated_at)) == (FlagState.OPEN, True)
    said = Verdict.objects.get(person=owner)
    assert (said.answer, said.reason, said.blind) == (UPHOLD, "Look at the hand.", True)
    assert agreement_on(policy).only_second == 1


def test_kappa_is_that_of_the_textbook() -> None:
    """Cohen's own way of counting: 20 both, 15 neither, 5 and 10 apart: 0.7 observed, 0.5 by chance."""
    pairs = [(UPHOLD, UPHOLD)] * 20 + [(UPHOLD, DISMISS)] * 5 + [(DISMISS, UPHOLD)] * 10 + [(DISMISS, DISMISS)] * 15
    found = measure(pairs)
    assert (found.flags, found.observed) == (50, 0.7)
    assert found.kappa == pytest.approx(0.4)
    assert measure([(UPHOLD, UPHOLD)] * 9).kappa is None  # always the same answer says nothing
    assert (measure([]).observed, measure([]).kappa) == (None, None)


def test_agreement_counts_blind_answers_only(twice: Flag, policy: Policy, alice: User, carol: User, dave: User) -> None:
    answer(carol, twice.pk, DISMISS, 1)
    held = answer(dave, twice.pk, UPHOLD, 1)
    answer(alice, twice.pk, UPHOLD, held.version)
    found = agreement_on(policy)
    assert (found.flags, found.only_second, found.kappa) == (1, 1, 0.0)


def test_who_comes_second_is_told_who_was_first_and_loses_nothing(
    flag: Flag, asset: Asset, carol: User, dave: User
) -> None:
    answer(carol, flag.pk, DISMISS, 1)
    with pytest.raises(
        AnsweredMeanwhile, match=r"carol dismissed this at \d\d:\d\d:\d\d\. Your answer changed nothing"
    ):
        answer(dave, flag.pk, UPHOLD, 1, "A real one.")
    assert not hidden(asset)
    late = LogEntry.objects.filter(asset=asset.uuid).latest("id")
    assert (late.event, late.person, late.after, late.reason) == (Event.LATE, "dave", "upheld", "A real one.")
    with pytest.raises(AnsweredMeanwhile):
        escalate(dave, flag.pk, 1, "Hm.")


@pytest.mark.django_db(transaction=True)
def test_two_reviewers_at_the_same_moment_lose_no_decision(flag: Flag, carol: User, dave: User) -> None:
    """Both answer what both saw. One decides, the other is told; both stand in the log."""
    told: dict[str, Any] = {}
    ready = threading.Barrier(2)

    def decide(person: User, given: Answer) -> Callable[[], None]:
        def run() -> None:
            ready.wait(10)
            try:
                told[person.username] = answer(person, flag.pk, given, 1, f"{person.username} says so").state
            except AnsweredMeanwhile as error:
                told[person.username] = str(error)
            finally:
                connection.close()

        return run

    threads = [threading.Thread(target=decide(carol, DISMISS)), threading.Thread(target=decide(dave, UPHOLD))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    flag.refresh_from_db()
    won = {FlagState.DISMISSED: "carol", FlagState.UPHELD: "dave"}[FlagState(flag.state)]
    lost = "dave" if won == "carol" else "carol"
    assert told[won] == flag.state
    assert told[lost].startswith(f"{won} {flag.state} this at")
    entries = LogEntry.objects.filter(asset=flag.asset.uuid, person__in=("carol", "dave")).order_by("id")
    assert list(entries.values_list("person", "reason")) == [(won, f"{won} says so"), (lost, f"{lost} says so")]
    assert (Verdict.objects.get().person.username, flag.version) == (won, 2)


def test_an_answer_that_came_too_late_tells_the_second_reviewer_nothing(
    flag: Flag, policy: Policy, carol: User, dave: User
) -> None:
    Policy.objects.update(second_reviewer=True)
    with pytest.raises(AnsweredMeanwhile):
        answer(carol, flag.pk, UPHOLD, 0, "Clearly.")
    answer(carol, flag.pk, UPHOLD, 1, "Clearly.")
    told = LogEntry.objects.visible_to(dave).filter(asset=flag.asset.uuid)
    assert set(told.values_list("event", flat=True)) == {Event.HIDDEN}
    answer(dave, flag.pk, UPHOLD, 1)
    assert {Event.LATE, Event.ANSWERED, Event.UPHELD} <= set(told.values_list("event", flat=True))

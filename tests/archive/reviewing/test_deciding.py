"""The people who decide flags: who may, who may not, and how a decision is corrected."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, Permission, User

from archive.models import (
    Answer,
    Asset,
    Concept,
    Event,
    Flag,
    FlagState,
    LogEntry,
    Membership,
    Policy,
    Role,
    Space,
    Verdict,
)
from archive.models.moderation import sets_policies
from archive.moderation.flagging import Doubt, raise_flags
from archive.moderation.reviewing import (
    FlagGone,
    NothingToTakeBack,
    NotYoursToEnd,
    ReasonMissing,
    ReasonTooLong,
    answer,
    escalate,
    take_back,
)
from archive.trash import trash
from tests.archive.reviewing.afterwards import events, hidden
from tests.cast import make_user

pytestmark = pytest.mark.django_db
UPHOLD, DISMISS = Answer.UPHOLD, Answer.DISMISS


def test_curators_of_the_collection_review_and_others_do_not(flag: Flag, alice: User, carol: User) -> None:
    stranger, viewer = make_user("stranger"), make_user("viewer")
    Membership.objects.create(collection=flag.asset.collection, user=viewer, role=Role.VIEWER)
    assert [p for p in (alice, carol, stranger, viewer) if Flag.objects.reviewed_by(p).exists()] == [alice, carol]
    with pytest.raises(FlagGone):
        answer(stranger, flag.pk, DISMISS, 1)
    stranger.user_permissions.add(Permission.objects.get(codename="review_flag"))
    assert Flag.objects.reviewed_by(User.objects.get(username="stranger")).exists()


def test_nobody_judges_their_own_upload_but_a_superuser(flag: Flag, alice: User, carol: User) -> None:
    Asset.objects.update(uploader=carol)
    assert not Flag.objects.reviewed_by(carol).exists()
    with pytest.raises(FlagGone):
        answer(carol, flag.pk, DISMISS, 1)
    Asset.objects.update(uploader=alice)
    assert Flag.objects.reviewed_by(alice).exists()


def test_what_lies_in_the_trash_waits_for_nobody(flag: Flag, carol: User) -> None:
    trash(Asset.objects.all())
    assert not Flag.objects.waiting_for(carol).exists()


def test_what_is_escalated_is_left_to_an_owner(flag: Flag, alice: User, carol: User, dave: User) -> None:
    with pytest.raises(ReasonMissing):
        escalate(carol, flag.pk, 1, "")
    held = escalate(carol, flag.pk, 1, "Is this a toy?")
    assert not Flag.objects.waiting_for(carol).exists()
    assert not Flag.objects.waiting_for(dave).exists()
    with pytest.raises(NotYoursToEnd):
        answer(dave, flag.pk, DISMISS, held.version)
    owner = make_user("owner")
    Membership.objects.create(collection=flag.asset.collection, user=owner, role=Role.OWNER)
    assert Flag.objects.waiting_for(owner).get() == flag
    assert answer(owner, flag.pk, DISMISS, held.version).state == FlagState.DISMISSED
    assert events(flag)[-2:] == [Event.ESCALATED, Event.DISMISSED]


def test_a_decision_is_corrected_with_a_reason(flag: Flag, asset: Asset, carol: User, dave: User) -> None:
    answer(carol, flag.pk, DISMISS, 1)
    with pytest.raises(ReasonMissing):
        answer(dave, flag.pk, UPHOLD, 2)
    answer(dave, flag.pk, UPHOLD, 2, "It is real.")
    assert hidden(asset)
    last = LogEntry.objects.filter(asset=asset.uuid).latest("id")
    assert (last.event, last.before, last.after) == (Event.UPHELD, FlagState.DISMISSED, FlagState.UPHELD)
    assert (last.person, last.reason) == ("dave", "It is real.")


def test_one_takes_back_ones_own_last_word_and_nobody_elses(flag: Flag, asset: Asset, carol: User, dave: User) -> None:
    answer(carol, flag.pk, DISMISS, 1)
    with pytest.raises(NothingToTakeBack):
        take_back(dave, flag.pk)
    assert take_back(carol, flag.pk).state == FlagState.OPEN
    assert hidden(asset)
    assert not Verdict.objects.exists()
    with pytest.raises(NothingToTakeBack):
        take_back(carol, flag.pk)
    assert events(flag) == [Event.HIDDEN, Event.DISMISSED, Event.TAKEN_BACK]


def test_who_takes_back_a_correction_finds_what_another_decided(
    asset: Asset, weapon: Concept, policy: Policy, fake_space: Space, carol: User, dave: User
) -> None:
    raise_flags(fake_space, [Doubt(asset.pk, weapon.pk, 2.0, hides=False)])
    flag = Flag.objects.get()
    decided = answer(carol, flag.pk, UPHOLD, 1).decided_at
    answer(dave, flag.pk, DISMISS, 2, "A toy.")
    assert not hidden(asset)
    held = take_back(dave, flag.pk)
    assert held.state == FlagState.UPHELD
    assert hidden(asset)
    assert held.decided_at is not None
    assert decided is not None
    assert abs((held.decided_at - decided).total_seconds()) < 5
    assert {said.person: said.answer for said in Verdict.objects.all()} == {carol: UPHOLD}
    last = LogEntry.objects.filter(asset=asset.uuid).latest("id")
    assert (last.event, last.before, last.after) == (Event.TAKEN_BACK, FlagState.DISMISSED, FlagState.UPHELD)


def test_who_takes_back_their_own_correction_says_again_what_they_said(flag: Flag, asset: Asset, carol: User) -> None:
    answer(carol, flag.pk, UPHOLD, 1, "Clearly.")
    for version in (2, 4):
        answer(carol, flag.pk, DISMISS, version, "Or not.")
        assert take_back(carol, flag.pk).state == FlagState.UPHELD
        verdict = Verdict.objects.get()
        assert (verdict.answer, verdict.reason, hidden(asset)) == (UPHOLD, "Clearly.", True)


def test_the_same_answer_again_changes_nothing(flag: Flag, carol: User, dave: User) -> None:
    answer(carol, flag.pk, DISMISS, 1)
    answer(dave, flag.pk, DISMISS, 2)
    assert events(flag) == [Event.HIDDEN, Event.DISMISSED]


def test_a_reason_has_an_end(flag: Flag, carol: User) -> None:
    with pytest.raises(ReasonTooLong, match="500"):
        answer(carol, flag.pk, DISMISS, 1, "x" * 501)


def test_whoever_reviews_sets_no_policies(carol: User) -> None:
    for codename, may in (("review_flag", False), ("change_policy", True)):
        carol.user_permissions.add(Permission.objects.get(codename=codename))
        assert sets_policies(User.objects.get(pk=carol.pk)) is may
    assert not sets_policies(AnonymousUser())

"""Flags and the people who decide them: what hides, who may, who comes second, and a log that nobody alters."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.db import ProgrammingError, connection, transaction

from archive.models import (
    Answer,
    Asset,
    Collection,
    Concept,
    ConceptKind,
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
from archive.moderation import log
from archive.moderation.agreement import agreement_on, measure
from archive.moderation.flagging import Doubt, raise_flags
from archive.moderation.reviewing import (
    AnsweredMeanwhile,
    FlagGone,
    NothingToTakeBack,
    NotYoursToCorrect,
    NotYoursToEnd,
    ReasonMissing,
    ReasonTooLong,
    answer,
    escalate,
    take_back,
)
from archive.trash import purge, trash
from tests.cast import make_user
from tests.prepared import make_encoded, random_rows

pytestmark = pytest.mark.django_db
UPHOLD, DISMISS = Answer.UPHOLD, Answer.DISMISS


@pytest.fixture
def weapon(db: None) -> Concept:
    return Concept.objects.create(slug="weapon", name="weapon", kind=ConceptKind.PROHIBITED)


@pytest.fixture
def policy(weapon: Concept) -> Policy:
    return Policy.objects.create(concept=weapon, is_on=True)


@pytest.fixture
def asset(harbour: Collection, bob: User, fake_space: Space) -> Asset:
    (made,) = make_encoded(harbour, fake_space, random_rows(1))
    Asset.objects.filter(pk=made.pk).update(uploader=bob)
    return made


@pytest.fixture
def flag(asset: Asset, weapon: Concept, policy: Policy, fake_space: Space) -> Flag:
    """Hidden at once, and not decided yet."""
    raise_flags(fake_space, [Doubt(asset.pk, weapon.pk, 4.2, hides=True)])
    return Flag.objects.get()


@pytest.fixture
def carol(harbour: Collection) -> User:
    carol = make_user("carol")
    Membership.objects.create(collection=harbour, user=carol, role=Role.CURATOR)
    return carol


@pytest.fixture
def dave(harbour: Collection) -> User:
    dave = make_user("dave")
    Membership.objects.create(collection=harbour, user=dave, role=Role.CURATOR)
    return dave


def hidden(asset: Asset) -> bool:
    asset.refresh_from_db()
    return asset.quarantined


def events(flag: Flag) -> list[str]:
    """The log outlives the tests: only what is about the asset of this one."""
    return list(LogEntry.objects.filter(asset=flag.asset.uuid).order_by("id").values_list("event", flat=True))


# ---- what hides -------------------------------------------------------------------------------------


def test_a_flag_that_hides_takes_its_asset_out_of_everybodys_sight(flag: Flag, asset: Asset, alice: User) -> None:
    assert hidden(asset)
    for person in (alice, User.objects.get(username="bob"), AnonymousUser()):
        assert not Asset.objects.visible_to(person).exists()
        assert not Asset.objects.curated_by(person).exists()


def test_a_doubt_hides_nothing_until_it_is_upheld(
    asset: Asset, weapon: Concept, fake_space: Space, carol: User
) -> None:
    raise_flags(fake_space, [Doubt(asset.pk, weapon.pk, 2.0, hides=False)])
    assert not hidden(asset)
    answer(carol, Flag.objects.get().pk, UPHOLD, 1)
    assert hidden(asset)


def test_what_is_dismissed_is_shown_again_unless_something_else_hides_it(
    flag: Flag, asset: Asset, carol: User, fake_space: Space
) -> None:
    other = Concept.objects.create(slug="gore", name="gore", kind=ConceptKind.PROHIBITED)
    raise_flags(fake_space, [Doubt(asset.pk, other.pk, 9.0, hides=True)])
    answer(carol, flag.pk, DISMISS, 1)
    assert hidden(asset)
    answer(carol, Flag.objects.get(concept=other).pk, DISMISS, 1)
    assert not hidden(asset)


def test_a_dismissed_flag_does_not_come_back_whatever_a_model_finds(
    flag: Flag, asset: Asset, weapon: Concept, carol: User, fake_space: Space
) -> None:
    answer(carol, flag.pk, DISMISS, 1)
    later = Space.objects.create(slug="later", model="fake", dimensions=768, fingerprint="0" * 64)
    for space in (fake_space, later):
        assert raise_flags(space, [Doubt(asset.pk, weapon.pk, 99.0, hides=True)]) == 0
    found = Flag.objects.get()
    assert (found.state, found.score, found.space) == (FlagState.DISMISSED, 4.2, fake_space)
    assert not hidden(asset)
    assert not Flag.objects.waiting_for(carol).exists()


def test_a_model_hides_what_another_only_doubted_and_never_shows_what_another_hid(
    asset: Asset, weapon: Concept, fake_space: Space
) -> None:
    raise_flags(fake_space, [Doubt(asset.pk, weapon.pk, 2.0, hides=False)])
    raise_flags(fake_space, [Doubt(asset.pk, weapon.pk, 5.0, hides=True)])
    assert hidden(asset)
    raise_flags(fake_space, [Doubt(asset.pk, weapon.pk, 2.1, hides=False)])
    assert hidden(asset)
    assert Flag.objects.get().version == 2


def test_moments_of_a_video_that_comes_in_parts_are_all_kept(asset: Asset, weapon: Concept, fake_space: Space) -> None:
    first = {"frame": 1, "at": 3.0, "start": 2.0, "end": 4.0, "score": 3.0}
    second = {"frame": 2, "at": 63.0, "start": 61.0, "end": 64.0, "score": 3.5}
    for moments in ([first], [second], [second]):
        raise_flags(fake_space, [Doubt(asset.pk, weapon.pk, 3.5, hides=False, moments=moments)])
    assert Flag.objects.get().moments == [first, second]


# ---- who may ----------------------------------------------------------------------------------------


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


# ---- corrections ------------------------------------------------------------------------------------


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


def test_the_same_answer_again_changes_nothing(flag: Flag, carol: User, dave: User) -> None:
    answer(carol, flag.pk, DISMISS, 1)
    answer(dave, flag.pk, DISMISS, 2)
    assert events(flag) == [Event.HIDDEN, Event.DISMISSED]


def test_a_reason_has_an_end(flag: Flag, carol: User) -> None:
    with pytest.raises(ReasonTooLong, match="500"):
        answer(carol, flag.pk, DISMISS, 1, "x" * 501)


# ---- two reviewers ----------------------------------------------------------------------------------


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


# ---- at the same moment -----------------------------------------------------------------------------


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


# ---- the log ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE archive_moderationlog SET reason = 'another'",
        "UPDATE archive_moderationlog SET person = '' WHERE id = (SELECT max(id) FROM archive_moderationlog)",
        "DELETE FROM archive_moderationlog",
        "TRUNCATE archive_moderationlog",
        "TRUNCATE archive_moderationlog CASCADE",
        "INSERT INTO archive_moderationlog TABLE archive_moderationlog ON CONFLICT (id) DO UPDATE SET at = now()",
    ],
)
def test_the_log_cannot_be_altered(flag: Flag, statement: str) -> None:
    before = list(LogEntry.objects.values())
    assert before
    with (
        pytest.raises(ProgrammingError, match="cannot be altered"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert list(LogEntry.objects.values()) == before


def test_its_triggers_fire_even_for_a_superuser_who_skips_triggers(db: None) -> None:
    """`session_replication_role = replica` skips those that are not ALWAYS; only a superuser may set it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'archive_moderationlog'::regclass")
        assert dict(cursor.fetchall()) == {"log_stays": "A", "log_is_not_emptied": "A"}


def test_not_even_by_the_model(flag: Flag) -> None:
    for alter in (LogEntry.objects.all().delete, lambda: LogEntry.objects.update(reason="another")):
        with pytest.raises(ProgrammingError, match="cannot be altered"), transaction.atomic():
            alter()


def test_the_log_outlives_what_it_tells_of(flag: Flag, asset: Asset, carol: User) -> None:
    answer(carol, flag.pk, UPHOLD, 1, "Clearly.")
    trash(Asset.objects.all())
    with transaction.atomic():
        assert purge(asset)
    Policy.objects.all().delete()
    Concept.objects.all().delete()
    carol.delete()
    told = LogEntry.objects.filter(asset=asset.uuid).latest("id")
    assert (told.person, told.concept, told.filename, told.collection) == (
        *("carol", "weapon", asset.filename, "Harbour"),
    )


def test_a_decision_that_fails_leaves_no_entry(flag: Flag, carol: User, monkeypatch: pytest.MonkeyPatch) -> None:
    before = events(flag)

    def fail(*entries: LogEntry) -> None:
        log.write_all(entries)
        raise RuntimeError

    monkeypatch.setattr("archive.moderation.reviewing.log.write", fail)
    with pytest.raises(RuntimeError), transaction.atomic():
        answer(carol, flag.pk, DISMISS, 1)
    assert events(flag) == before
    flag.refresh_from_db()
    assert flag.state == FlagState.OPEN


def test_who_sees_which_entries(flag: Flag, weapon: Concept, alice: User, carol: User) -> None:
    log.write(log.about_policy(Event.CHANGED, weapon, alice, "another line"))
    assert Event.CHANGED in LogEntry.objects.visible_to(alice).values_list("event", flat=True)
    seen = LogEntry.objects.visible_to(carol)
    assert {*seen.values_list("collection_id", flat=True)} == {flag.asset.collection_id}
    assert not LogEntry.objects.visible_to(make_user("stranger")).exists()


def test_what_a_policy_looks_for_does_not_change_untold(policy: Policy, weapon: Concept, alice: User) -> None:
    other = Concept.objects.create(slug="dog", name="dog")
    assert not log.note_change(alice, other, "kind: prohibited instead of tag")
    assert log.note_change(alice, weapon, "kind: tag instead of prohibited")
    told = LogEntry.objects.latest("id")
    assert (told.event, told.person, told.concept) == (Event.CHANGED, "alice", "weapon")
    assert told.reason == "concept: kind: tag instead of prohibited"


def test_whoever_reviews_sets_no_policies(carol: User) -> None:
    for codename, may in (("review_flag", False), ("change_policy", True)):
        carol.user_permissions.add(Permission.objects.get(codename=codename))
        assert sets_policies(User.objects.get(pk=carol.pk)) is may
    assert not sets_policies(AnonymousUser())

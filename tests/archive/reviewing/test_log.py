"""The log of decisions, which nobody alters: what stands in it, and who reads it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import ProgrammingError, connection, transaction

from archive.history import events_of, latest_events
from archive.models import Answer, Asset, Concept, Event, Flag, FlagState, LogEntry, Policy
from archive.moderation import log
from archive.moderation.reviewing import answer
from archive.trash import purge, trash
from tests.archive.reviewing.afterwards import events
from tests.cast import make_user

pytestmark = pytest.mark.django_db
UPHOLD, DISMISS = Answer.UPHOLD, Answer.DISMISS


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


def test_what_somebody_did_last_is_found_without_reading_the_log(flag: Flag, carol: User) -> None:
    """Of a log that models wrote, and other people."""
    others = (LogEntry(event=Event.RAISED, concept="x", person_id=n % 2 or None) for n in range(6_000))
    LogEntry.objects.bulk_create(others)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE archive_moderationlog")
    mine = LogEntry.objects.filter(person_id=carol.pk, flag_id__isnull=False).order_by("-id")[:1]
    assert "moderationlog_person" in mine.explain()
    assert "moderationlog_asset" in LogEntry.objects.filter(asset=flag.asset.uuid).order_by("-id")[:500].explain()


def test_the_history_of_an_asset_tells_what_reviewers_did_to_those_who_review(
    flag: Flag, asset: Asset, alice: User, carol: User, dave: User, bob: User
) -> None:
    answer(carol, flag.pk, DISMISS, 1, "A toy.")
    told = [(event.who, event.what) for event in events_of(asset, alice)]
    assert ("carol", "Dismissed: “weapon” (A toy.)") in told
    assert ("a policy", "Flag raised, asset hidden: “weapon”") in told
    assert not [event for event in events_of(asset, bob) if "weapon" in event.what]
    root = User.objects.create_superuser("root")
    for person, tells in ((carol, True), (root, True), (dave, False)):  # dave did nothing himself
        last = [event for event in latest_events(person, None, 50) if event.at > flag.raised_at]
        assert ("Dismissed: “weapon” (A toy.)" in [event.what for event in last]) is tells

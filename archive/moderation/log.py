"""Writing the log. Nothing here changes or deletes: Postgres would refuse it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from archive.models import Concept, Event, Flag, LogEntry, Policy

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def about_flag(
    event: Event, flag: Flag, person: User | None = None, *, before: str = "", after: str = "", reason: str = ""
) -> LogEntry:
    """An entry, not yet written. `flag` with its asset, the asset's collection, and its concept."""
    return LogEntry(
        event=event,
        person_id=person.pk if person else None,
        person=person.get_username() if person else "",
        concept=flag.concept.name,
        flag_id=flag.pk,
        asset=flag.asset.uuid,
        filename=flag.asset.filename,
        collection_id=flag.asset.collection_id,
        collection=flag.asset.collection.name,
        space=flag.space.slug if flag.space else "",
        score=flag.score,
        before=before,
        after=after,
        reason=reason,
    )


def about_policy(event: Event, concept: Concept, person: User | None, reason: str = "") -> LogEntry:
    name = person.get_username() if person else ""
    return LogEntry(
        event=event, person_id=person.pk if person else None, person=name, concept=concept.name, reason=reason
    )


def exported(person: User, kind: str) -> LogEntry:
    return LogEntry(event=Event.EXPORTED, person_id=person.pk, person=person.get_username(), concept="", reason=kind)


def note_change(person: User | None, concept: Concept, what: str) -> bool:
    """Tell, in the transaction that changes it, what a policy looks for from now on; returns whether one does.

    Of a concept that no policy is about there is nothing to tell. `what` in words: “kind: tag instead of prohibited”.
    """
    if not Policy.objects.filter(concept=concept.pk).exists():
        return False
    write(about_policy(Event.CHANGED, concept, person, f"concept: {what}"))
    return True


def write(*entries: LogEntry) -> None:
    """In the transaction of what they tell of: neither is ever there without the other."""
    write_all(entries)


def write_all(entries: Iterable[LogEntry]) -> None:
    LogEntry.objects.bulk_create(entries, batch_size=1000)

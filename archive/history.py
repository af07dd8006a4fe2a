"""Who changed what, from all places that keep it: the admin's log, batches, tags, moderation, near-duplicates."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from django.contrib.admin.models import LogEntry
from django.db.models import Model, Q, QuerySet

from archive.batch_words import title
from archive.models import Asset, Batch, BatchItem, Decision, DuplicatePair, ItemState, Tag, TagSource, TagState
from archive.models import LogEntry as ModerationEntry

if TYPE_CHECKING:
    from django.contrib.auth.models import User

AnyModel = TypeVar("AnyModel", bound=Model)
BECAME = {ItemState.SKIPPED: "skipped", ItemState.UNDONE: "undone since", ItemState.KEPT: "could not be undone"}
TAG_WORDS = {TagState.ACCEPTED: "“{}” put on", TagState.REJECTED: "“{}” rejected", TagState.PROPOSED: "“{}” proposed"}
MOST_OF_ONE = 500


@dataclass(frozen=True)
class Event:
    """`who` is a name, or what it was instead of a person; `about` is what it happened to, where the list is of all."""

    at: datetime
    who: str
    what: str
    about: str = ""
    url: str = ""


def events_of(asset: Asset, user: User) -> list[Event]:
    """All that is known of one asset, newest first. The caller has looked whether `user` curates it."""
    found = [Event(asset.added_at, _name(asset.uploader) or "an upload", f"Came in as {asset.filename}")]
    if asset.trashed_at:
        found.append(Event(asset.trashed_at, "", "Put into the trash, where it lies now"))
    for source in (_logged_of, _batches_of, _tags_of, _decisions_of, _moderated_of):
        found += source(asset, user)
    return sorted(found, key=lambda event: event.at, reverse=True)


def latest_events(user: User, before: datetime | None, most: int) -> list[Event]:
    """What happened last in the archive, to whoever runs it; to others what they did themselves. Newest first."""
    found: list[Event] = []
    for source in LATEST:
        found += source(user, before, most)
    return sorted(found, key=lambda event: event.at, reverse=True)[:most]


def _logged_of(asset: Asset, user: User) -> Iterable[Event]:
    entries = LogEntry.objects.filter(
        content_type__app_label="archive", content_type__model="asset", object_id=str(asset.pk)
    )
    for entry in entries.select_related("user", "content_type").order_by("-action_time")[:MOST_OF_ONE]:
        yield Event(entry.action_time, _name(entry.user), entry.get_change_message() or str(entry))


def _batches_of(asset: Asset, user: User) -> Iterable[Event]:
    items = BatchItem.objects.filter(asset=asset).exclude(state=ItemState.WAITING)
    for item in items.select_related("batch__owner").order_by("-batch")[:MOST_OF_ONE]:
        batch = item.batch
        became = BECAME.get(ItemState(item.state), "")
        what = f"{title(batch)}{f' ({became})' if became else ''}"
        url = batch.get_absolute_url() if batch.owner_id == user.pk else ""
        yield Event(batch.finished_at or batch.touched_at, _name(batch.owner), what, url=url)


def _tags_of(asset: Asset, user: User) -> Iterable[Event]:
    tags = Tag.objects.filter(asset=asset).select_related("concept", "by", "space")
    for tag in tags.order_by("-at")[:MOST_OF_ONE]:
        yield Event(tag.at, _tagger(tag), TAG_WORDS[TagState(tag.state)].format(tag.concept))


def _decisions_of(asset: Asset, user: User) -> Iterable[Event]:
    pairs = DuplicatePair.objects.filter(Q(low=asset) | Q(high=asset), decision__isnull=False)
    decisions = {pair.decision for pair in pairs.select_related("decision__person")[:MOST_OF_ONE] if pair.decision}
    yield from map(_decision, decisions)


def _moderated_of(asset: Asset, user: User) -> Iterable[Event]:
    """For those who review; the log itself says who sees what."""
    entries = ModerationEntry.objects.visible_to(user).filter(asset=asset.uuid)
    yield from (_moderation(entry) for entry in entries.order_by("-id")[:MOST_OF_ONE])


def _logged(user: User, before: datetime | None, most: int) -> Iterable[Event]:
    entries = LogEntry.objects.all() if user.is_superuser else LogEntry.objects.filter(user=user)
    for entry in _until(entries.order_by("-id"), "action_time", before).select_related("user", "content_type")[:most]:
        about = f"{entry.content_type.name if entry.content_type else ''} {entry.object_repr}".strip()
        url = entry.get_admin_url() or "" if entry.object_id else ""
        yield Event(entry.action_time, _name(entry.user), entry.get_change_message() or str(entry), about, url)


def _batches(user: User, before: datetime | None, most: int) -> Iterable[Event]:
    batches = Batch.objects.all() if user.is_superuser else Batch.objects.filter(owner=user)
    for batch in _until(batches.order_by("-id"), "created_at", before).select_related("owner")[:most]:
        url = batch.get_absolute_url() if batch.owner_id == user.pk else ""
        state = "" if batch.state == "done" else f" ({batch.get_state_display().lower()})"
        yield Event(batch.created_at, _name(batch.owner), f"{title(batch)}{state}", batch.what, url)


def _tags(user: User, before: datetime | None, most: int) -> Iterable[Event]:
    """Those that people touched, single ones too; an index has them in the order of time."""
    tags = Tag.objects.filter(by__isnull=False) if user.is_superuser else Tag.objects.filter(by=user)
    rows = _until(tags.order_by("-at", "-id"), "at", before).select_related("concept", "by", "asset", "space")
    found = list(rows[:most])
    seen = Asset.objects.visible_to(user).filter(pk__in=[tag.asset_id for tag in found])
    visible = set(seen.values_list("pk", flat=True))
    for tag in found:
        shown = tag.asset_id in visible
        about, url = (str(tag.asset), tag.asset.get_absolute_url()) if shown else ("an asset", "")
        yield Event(tag.at, _tagger(tag), TAG_WORDS[TagState(tag.state)].format(tag.concept), about, url)


def _decisions(user: User, before: datetime | None, most: int) -> Iterable[Event]:
    decisions = Decision.objects.all() if user.is_superuser else Decision.objects.filter(person=user)
    for decision in _until(decisions.order_by("-id"), "made_at", before).select_related("person")[:most]:
        yield _decision(decision)


def _moderated(user: User, before: datetime | None, most: int) -> Iterable[Event]:
    """What people did; an index has it in the order of time. What models find is in the moderation log."""
    entries = ModerationEntry.objects.visible_to(user).filter(person_id__isnull=False)
    if not user.is_superuser:
        entries = entries.filter(person_id=user.pk)
    for entry in _until(entries.order_by("-id"), "at", before)[:most]:
        yield _moderation(entry)


LATEST: tuple[Callable[[User, datetime | None, int], Iterable[Event]], ...] = (
    *(_logged, _batches, _tags, _decisions, _moderated),
)


def _until(rows: QuerySet[AnyModel], field: str, before: datetime | None) -> QuerySet[AnyModel]:
    return rows.filter(**{f"{field}__lt": before}) if before else rows


def _decision(decision: Decision) -> Event:
    what = (
        f"Near-duplicates: {len(decision.trashed)} to the trash" if decision.trashed else "Near-duplicates: they stay"
    )
    undone = " (undone since)" if decision.undone_at else ""
    return Event(decision.made_at, _name(decision.person), f"{what}{undone}")


def _moderation(entry: ModerationEntry) -> Event:
    reason = f" ({entry.reason})" if entry.reason else ""
    what = f"{entry.get_event_display()}{f': “{entry.concept}”' if entry.concept else ''}{reason}"
    return Event(entry.at, entry.person or "a policy", what, entry.filename)


def _tagger(tag: Tag) -> str:
    if tag.by:
        return _name(tag.by)
    if tag.source == TagSource.MODEL:
        return f"the model of {tag.space}" if tag.space else "a model"
    return "the file’s keywords" if tag.source == TagSource.FILE else "somebody"


def _name(person: User | None) -> str:
    return person.get_username() if person else ""

"""The log of moderation: written once, never changed. Postgres itself refuses anything else (migration 0015)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models.functions import Now

from archive.models.moderation import Flag, FlagState, reviewed_collections, reviews_everywhere

if TYPE_CHECKING:
    from archive.models.collections import Person


class Event(models.TextChoices):
    RAISED = "raised", "Flag raised"
    HIDDEN = "hidden", "Flag raised, asset hidden"
    ANSWERED = "answered", "First of two answers"
    UPHELD = "upheld", "Upheld"
    DISMISSED = "dismissed", "Dismissed"
    ESCALATED = "escalated", "Escalated"
    TAKEN_BACK = "taken_back", "Answer taken back"
    LATE = "late", "Answer that came too late"
    WITHDRAWN = "withdrawn", "Flag withdrawn"
    SWITCHED_ON = "switched_on", "Policy switched on"
    SWITCHED_OFF = "switched_off", "Policy switched off"
    CHANGED = "changed", "Policy changed"
    EXPORTED = "exported", "Log exported"


class LogEntryQuerySet(models.QuerySet["LogEntry"]):
    def visible_to(self, user: Person) -> LogEntryQuerySet:
        """What happened where `user` reviews; what is about no collection only for whoever reviews everywhere."""
        if not user.is_authenticated:
            return self.none()
        # The first of two answers is nobody's to read before the second is given, nor the same one given too late.
        blind = Flag.objects.filter(state=FlagState.OPEN, escalated_at__isnull=True).order_by().values("pk")
        told = self.exclude(event__in=(Event.ANSWERED, Event.LATE), flag_id__in=blind)
        if reviews_everywhere(user):
            return told
        return told.filter(collection_id__in=reviewed_collections(user).order_by().values("pk"))


class LogEntry(models.Model):
    """One thing that happened. Names stand in it as data and nothing is a foreign key: what it tells of may be
    deleted, renamed or gone, and the log still says the same.

    Unmanaged, so that neither `flush` nor a later migration empties the table.
    """

    at = models.DateTimeField(db_default=Now())
    event = models.CharField(max_length=12, choices=Event.choices)
    person_id = models.BigIntegerField(null=True)
    person = models.CharField(max_length=150, blank=True)
    concept = models.CharField(max_length=80)
    flag_id = models.BigIntegerField(null=True)
    asset = models.UUIDField(null=True)
    filename = models.CharField(max_length=255, blank=True)
    collection_id = models.BigIntegerField(null=True)
    collection = models.CharField(max_length=120, blank=True)
    space = models.CharField(max_length=60, blank=True)
    score = models.FloatField(null=True)
    before = models.CharField(max_length=9, blank=True)
    after = models.CharField(max_length=9, blank=True)
    reason = models.TextField(blank=True)

    objects = LogEntryQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "archive_moderationlog"
        ordering = ["-id"]
        default_permissions = ("view",)
        verbose_name = "entry of the moderation log"
        verbose_name_plural = "moderation log"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.event} {self.concept} {self.filename}"

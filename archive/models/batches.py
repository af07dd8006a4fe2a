"""Batches: one action on many assets, done in the background, with progress and a way back."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse

from archive.models.assets import Asset


class Action(models.TextChoices):
    TAG = "tag", "Tag"
    UNTAG = "untag", "Take tags off"
    MOVE = "move", "Move"
    TRASH = "trash", "Move to the trash"
    RESTORE = "restore", "Put back from the trash"
    DOWNLOAD = "download", "Download"
    ENCODE = "encode", "Encode again"
    RETRY = "retry", "Try failed ones again"


LASTING = (Action.ENCODE, Action.RETRY)  # they order work, which ends as it ends: can be stopped, not taken back


class BatchState(models.TextChoices):
    """WAITING -> RUNNING -> DONE | FAILED; any of these -> UNDOING -> UNDONE | FAILED.

    FAILED keeps what was done until then; it can be undone.
    """

    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Stopped"
    UNDOING = "undoing", "Being undone"
    UNDONE = "undone", "Undone"


OPEN = (BatchState.WAITING, BatchState.RUNNING, BatchState.UNDOING)


class ItemState(models.TextChoices):
    """WAITING -> DONE | SKIPPED; DONE -> UNDONE | KEPT (somebody changed it since, or it cannot go back)."""

    WAITING = "waiting", "Waiting"
    DONE = "done", "Done"
    SKIPPED = "skipped", "Skipped"
    UNDONE = "undone", "Undone"
    KEPT = "kept", "Left as it is"


class Batch(models.Model):
    """An action on the assets that its items name, chosen when its owner confirmed it.

    The counts are those of the items, written with them. `size` is how many bytes of a download's
    file are complete.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="batches")
    action = models.CharField(max_length=8, choices=Action.choices)
    arguments = models.JSONField(default=dict, help_text="Tags, or where to")
    what = models.CharField(max_length=1000, help_text="What was chosen, in words")
    params = models.JSONField(default=dict, help_text="The query as an address has it; empty for single pictures")
    state = models.CharField(max_length=7, choices=BatchState.choices, default=BatchState.WAITING)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    undone = models.PositiveIntegerField(default=0)
    kept = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
    error = models.TextField(blank=True, help_text="Why it stopped, as a sentence for people")
    created_at = models.DateTimeField(db_default=Now())
    touched_at = models.DateTimeField(db_default=Now(), help_text="Batches take turns: the one that waits longest")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "batches"
        ordering = ["-id"]
        indexes = [
            models.Index(name="batch_open", fields=["touched_at"], condition=Q(state__in=OPEN)),
            models.Index(name="batch_newest", fields=["owner", "-id"]),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()}: {self.what}"

    def get_absolute_url(self) -> str:
        return reverse("batch", args=[self.uuid])

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def lasts(self) -> bool:
        return self.action in LASTING

    @property
    def behind(self) -> int:
        """How many items are through with what is going on."""
        return self.undone + self.kept if self.state == BatchState.UNDOING else self.done + self.skipped

    @property
    def ahead(self) -> int:
        """How many items have to come through."""
        return self.done if self.state == BatchState.UNDOING else self.total


class BatchItem(models.Model):
    """One asset of a batch. `before` is what undoing needs, in the terms of the action (archive.deeds).

    Without foreign keys in Postgres: checking each of a million rows would take as long as all else together,
    and an item whose asset was deleted for good is simply skipped.
    """

    batch = models.ForeignKey(Batch, models.CASCADE, related_name="items", db_index=False, db_constraint=False)
    asset = models.ForeignKey(Asset, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    state = models.CharField(max_length=7, choices=ItemState.choices, db_default=ItemState.WAITING)
    note = models.CharField(max_length=300, blank=True, db_default="", help_text="Why it was skipped or kept")
    before = models.JSONField(null=True, blank=True)

    class Meta:
        # The asset first: so the deletion of an asset finds its items.
        constraints = [models.UniqueConstraint(name="one_item_an_asset", fields=["asset", "batch"])]
        indexes = [models.Index(name="item_next", fields=["batch", "state", "id"])]

    def __str__(self) -> str:
        return f"{self.batch_id}: {self.asset_id}"

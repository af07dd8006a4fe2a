"""Work to do, as state in Postgres: a message is only a doorbell."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from archive.models.assets import Asset

# What an item says that waits for a device to have room again: whoever encodes writes it, the Work page counts it.
NO_ROOM = (
    "The device has not the memory for even one picture. It is tried again by itself; end what else runs on it, or "
    "take a smaller model."
)


class Step(models.TextChoices):
    PREPARE = "prepare", "Read and make renditions"
    ENCODE = "encode", "Make the vector"
    PLAY = "play", "Make a video playable"


class WorkState(models.TextChoices):
    """READY -> RUNNING -> DONE | QUARANTINED; RUNNING -> READY on a retry or a lost lease.

    QUARANTINED -> READY when somebody retries; READY | QUARANTINED -> CANCELLED when somebody skips.
    """

    READY = "ready", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    QUARANTINED = "quarantined", "Set aside"
    CANCELLED = "cancelled", "Skipped"


class Priority(models.IntegerChoices):
    """Smaller goes first."""

    INTERACTIVE = 0, "One upload, somebody waits"
    BULK = 10, "Many files"
    LONG = 15, "The rest of a video"
    BACKFILL = 20, "A new space"


class Work(models.Model):
    """One step for one asset; for ENCODE, `target` is the slug of the space.

    A video's steps go on in chunks: `position` is what is done of it, committed with the frames or vectors of a
    chunk. After the first chunk the rest waits behind other uploads.
    """

    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="work")
    step = models.CharField(max_length=10, choices=Step.choices)
    target = models.CharField(max_length=60, blank=True)
    state = models.CharField(max_length=11, choices=WorkState.choices, default=WorkState.READY)
    priority = models.SmallIntegerField(choices=Priority.choices, default=Priority.BULK)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    crashes = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="Times its worker died on it")
    errors = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="Times it failed for a passing cause")
    token = models.UUIDField(null=True, blank=True, help_text="Fencing: who holds it now")
    worker = models.CharField(max_length=120, blank=True, db_default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(db_default=Now())
    last_error = models.TextField(blank=True, db_default="")
    created_at = models.DateTimeField(db_default=Now())
    done_at = models.DateTimeField(null=True, blank=True)
    position = models.BigIntegerField(null=True, blank=True, help_text="Milliseconds of a video that are done")
    begun_at = models.DateTimeField(null=True, blank=True, help_text="When the first chunk of a video was done")

    class Meta:
        verbose_name = verbose_name_plural = "work"
        constraints = [models.UniqueConstraint(name="one_work_a_step", fields=["asset", "step", "target"])]
        indexes = [
            models.Index(name="work_waiting", fields=["step", "target", "priority", "id"], condition=Q(state="ready")),
            models.Index(name="work_leased", fields=["lease_until"], condition=Q(state="running")),
            models.Index(name="work_done_lately", fields=["done_at"], condition=Q(state="done")),
            models.Index(name="work_by_target", fields=["step", "target", "state"]),
            models.Index(
                name="work_not_done", fields=["-id"], condition=Q(state__in=("ready", "running", "quarantined"))
            ),
            # While a space is filled, what else is not done stands behind a million steps of it.
            models.Index(
                name="work_not_done_but_encode",
                fields=["-id"],
                condition=Q(state__in=("ready", "running", "quarantined")) & ~Q(step="encode"),
            ),
            models.Index(name="work_skipped", fields=["-id"], condition=Q(state="cancelled")),
            models.Index(name="work_set_aside", fields=["id"], condition=Q(state="quarantined")),
        ]

    def __str__(self) -> str:
        return f"{self.step} {self.target} {self.asset_id}"

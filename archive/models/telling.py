"""How people and programs are told of matches: digests by e-mail, and webhooks."""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from archive.models.saved import Alert


class Every(models.TextChoices):
    """How often somebody gets a digest, at most."""

    NEVER = "never", "Never"
    HOUR = "hour", "Once an hour"
    DAY = "day", "Once a day"
    WEEK = "week", "Once a week"


MOST_TRIES = 8  # of a digest, and of a delivery
INTERVALS = {Every.HOUR: timedelta(hours=1), Every.DAY: timedelta(days=1), Every.WEEK: timedelta(days=7)}


class Digest(models.Model):
    """A person's e-mail about new matches. Nothing is sent while they have no address.

    `tries` counts those of the digest that could not be sent; after the last one it rests until its owner
    saves these choices again. What it would have said stays unmailed, and unread on the page.
    """

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="digest"
    )
    every = models.CharField(max_length=5, choices=Every.choices, default=Every.DAY)
    sent_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    try_after = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"digest of {self.person_id}"


def new_salt() -> str:
    return secrets.token_hex(16)


class Webhook(models.Model):
    """An address that is called when an alert finds something.

    Its secret follows from `salt` and SECRET_KEY (search.alerts_hooks): it stands nowhere, and is shown once.
    """

    alert = models.OneToOneField(Alert, on_delete=models.CASCADE, related_name="webhook")
    url = models.CharField(max_length=500)
    salt = models.CharField(max_length=32, default=new_salt)
    made_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.url


class DeliveryState(models.TextChoices):
    """WAITING -> SENT | FAILED | DROPPED (nothing in it may be seen any more); FAILED -> WAITING by hand."""

    WAITING = "waiting", "Waiting"
    SENT = "sent", "Sent"
    FAILED = "failed", "Failed"
    DROPPED = "dropped", "Nothing left to send"


class Delivery(models.Model):
    """One call of a webhook, with what came of it."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    assets = ArrayField(models.BigIntegerField(), help_text="What was found")
    state = models.CharField(max_length=7, choices=DeliveryState.choices, default=DeliveryState.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    try_after = models.DateTimeField(db_default=Now())
    status = models.PositiveSmallIntegerField(null=True, help_text="What the other side answered last")
    note = models.CharField(max_length=300, blank=True, help_text="Why it failed, as a sentence")
    made_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["-id"]
        indexes = [
            models.Index(name="delivery_waiting", fields=["try_after"], condition=Q(state="waiting")),
            models.Index(name="delivery_newest", fields=["webhook", "-id"]),
        ]

    def __str__(self) -> str:
        return f"{self.uuid}: {self.get_state_display()}"

"""Passes of a policy over what is in the archive already."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from archive.models.concept_vectors import ConceptHead
from archive.models.moderation import Policy
from archive.models.spaces import Space


class CheckState(models.TextChoices):
    """WAITING -> RUNNING -> DONE | FAILED; WAITING | RUNNING -> STOPPED when the policy is switched off or
    changed, or another space is searched: then another check begins there.
    """

    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    STOPPED = "stopped", "Stopped"


OPEN = (CheckState.WAITING, CheckState.RUNNING)


class Check(models.Model):
    """Every stored vector of a space against one policy, in the order of assets. `dry`: only counted.

    `scores` counts assets by their score in steps of SCORE_STEP: {"all" | "upheld" | "dismissed": {step: count}}.
    """

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="checks")
    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="+")
    head = models.ForeignKey(
        ConceptHead,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text="What it judges by; nothing: the words",
    )
    dry = models.BooleanField(default=False)
    state = models.CharField(max_length=7, choices=CheckState.choices, default=CheckState.WAITING)
    review_at = models.FloatField()
    quarantine_at = models.FloatField(null=True, blank=True)
    last_id = models.BigIntegerField(default=0, help_text="Up to this asset all is done")
    until_id = models.BigIntegerField(default=0, help_text="Later ones were looked at as they came")
    total = models.PositiveIntegerField(default=0)
    seen = models.PositiveIntegerField(default=0)
    doubted = models.PositiveIntegerField(default=0, help_text="Reach the first threshold")
    hidden = models.PositiveIntegerField(default=0, help_text="Reach the second")
    raised = models.PositiveIntegerField(default=0, help_text="New flags")
    scores = models.JSONField(default=dict, blank=True)
    error = models.TextField(blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    touched_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(name="check_open", fields=["touched_at"], condition=Q(state__in=OPEN))]

    def __str__(self) -> str:
        return f"{self.policy} in {self.space}: {self.seen} of {self.total}"

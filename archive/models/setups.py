"""Setting up a space: what somebody asked for in the admin, and how far a worker is with it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from archive.models.spaces import Space


class SetupState(models.TextChoices):
    """WAITING -> FETCHING -> OPENING -> DONE, or WAITING -> ADAPTING -> DONE.

    Each of those that are open -> FAILED, CANCELLED; FAILED -> WAITING when somebody tries again.
    """

    WAITING = "waiting", "Waits for an encode worker"
    FETCHING = "fetching", "Downloading"
    OPENING = "opening", "Opening the model"
    ADAPTING = "adapting", "Training an adapter"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class Then(models.TextChoices):
    """What follows once the model is on the machine."""

    SEARCH = "search", "Fill a space with it, and search that one as soon as it is full"
    FILL = "fill", "Fill a space with it, and let me compare before I switch"
    FETCH = "fetch", "Download it, nothing more"


OPEN = (SetupState.WAITING, SetupState.FETCHING, SetupState.OPENING, SetupState.ADAPTING)


class Setup(models.Model):
    """A model to be fetched and made a space of, or (with a `parent`) a space to be adapted. One is open at a time."""

    slug = models.CharField(max_length=60, blank=True, help_text="Of the space to come; empty: only a download")
    model = models.CharField(max_length=310, blank=True)
    weights = models.CharField(max_length=300, blank=True, help_text="Folder or file, as the workers see it")
    parent = models.ForeignKey(Space, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    loss = models.CharField(max_length=10, blank=True)
    then = models.CharField(max_length=10, choices=Then.choices, default=Then.FILL)
    state = models.CharField(max_length=10, choices=SetupState.choices, default=SetupState.WAITING)
    file = models.CharField(max_length=200, blank=True, help_text="What is being downloaded")
    here = models.BigIntegerField(default=0, help_text="Bytes of it that are here")
    size = models.BigIntegerField(default=0, help_text="Bytes in all")
    said = models.TextField(blank=True, help_text="How far it is, or why it failed, for people")
    tries = models.PositiveSmallIntegerField(default=0, help_text="Times a worker opened or trained")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.slug or self.model

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

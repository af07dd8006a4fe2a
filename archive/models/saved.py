"""Saved searches, the alerts on them, and what these found."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.urls import reverse

from archive.models.assets import Asset, Kind, Status
from archive.models.collections import Collection
from archive.models.embeddings import Embedding
from archive.models.spaces import Space

if TYPE_CHECKING:
    from archive.models.collections import Person

LONGEST_NAME = 120
BETWEEN_PARTS = timedelta(minutes=1)


class SavedSearchQuerySet(models.QuerySet["SavedSearch"]):
    def visible_to(self, user: Person) -> SavedSearchQuerySet:
        """One's own, and those shared with the members of a collection that `user` sees.

        What people search for is theirs: superusers see what is shared, like everybody else.
        """
        if not user.is_authenticated:
            return self.none()
        shared = Collection.objects.visible_to(user).order_by().values("pk")
        return self.filter(Q(owner=user.pk) | Q(collection__in=shared))


class SavedSearch(models.Model):
    """A query with a name. Whoever opens it finds what they themselves may see.

    `picture` is the reference picture as the model reads it, so that it lasts longer than its hour.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_searches")
    name = models.CharField(max_length=LONGEST_NAME)
    params = models.JSONField(default=dict, help_text="The query as an address has it")
    collection = models.ForeignKey(
        Collection,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="saved_searches",
        help_text="Its members see this search",
    )
    picture_key = models.CharField(max_length=40, blank=True, db_index=True)
    picture = models.BinaryField(null=True, help_text="JPEG, as the model reads it")
    stamp = models.BinaryField(null=True, help_text="WebP, to show")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SavedSearchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "saved searches"
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(name="one_saved_search_a_name", fields=["owner", "name"])]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("saved_search", args=[self.uuid])


class AlertMode(models.TextChoices):
    """Where relevance ends, as in a search."""

    STRICT = "strict", "Only what matches well"
    BALANCED = "balanced", "What may match as well"


class AlertQuerySet(models.QuerySet["Alert"]):
    def live(self) -> AlertQuerySet:
        """Switched on, by somebody who may still come in. Whether they still see the search is asked one by one."""
        return self.filter(active=True, person__is_active=True)


class Alert(models.Model):
    """Somebody wants to be told of what is new in a saved search: one for each person and search."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    search = models.ForeignKey(SavedSearch, on_delete=models.CASCADE, related_name="alerts")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="alerts")
    active = models.BooleanField(default=True)
    mode = models.CharField(max_length=8, choices=AlertMode.choices, default=AlertMode.BALANCED)
    by_mail = models.BooleanField(default=True, help_text="Part of the person's digest")
    trouble = models.CharField(max_length=300, blank=True, help_text="Why it finds nothing now, as a sentence")
    try_after = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(name="one_alert_a_person_and_search", fields=["search", "person"])]
        indexes = [models.Index(name="alert_live", fields=["id"], condition=Q(active=True))]

    def __str__(self) -> str:
        return f"{self.search} for {self.person}"


class ArrivalQuerySet(models.QuerySet["Arrival"]):
    def due(self, space: Space) -> ArrivalQuerySet:
        """What can be compared in `space` now. The rest waits: for its other steps, for the space, in the trash, in
        quarantine.

        Of a video what is searched already: a long one is told of while the rest is read, and one of which only a part
        can be read as well. Each further part notes it again, so it is looked at once in `BETWEEN_PARTS` at most.
        """
        held = Embedding.objects.filter(space=space.pk, asset=OuterRef("asset"))
        shown = self.filter(asset__trashed_at__isnull=True, asset__quarantined=False)
        begun = Q(asset__status=Status.PENDING, arrived_at__lte=Now() - BETWEEN_PARTS) | Q(asset__status=Status.FAILED)
        video = Q(asset__kind=Kind.VIDEO, asset__duration__isnull=False)
        ready = shown.filter(Exists(held), Q(asset__status=Status.READY) | video & begun)
        return ready.filter(Q(alert=None) | Q(alert__try_after=None) | Q(alert__try_after__lte=Now()))


class Arrival(models.Model):
    """A new asset that alerts have not looked at yet: all of them, or the one that could not when it came.

    Written in the transaction that stores its vectors, deleted in the one that stores the matches.
    """

    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="+")
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, null=True, related_name="owed")
    arrived_at = models.DateTimeField(db_default=Now())

    objects = ArrivalQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_arrival_an_asset", fields=["asset"], condition=Q(alert=None)),
            models.UniqueConstraint(name="one_arrival_an_asset_and_alert", fields=["asset", "alert"]),
        ]

    def __str__(self) -> str:
        return f"{self.asset_id} for {self.alert_id or 'all'}"


class MatchQuerySet(models.QuerySet["Match"]):
    def visible_to(self, user: Person) -> MatchQuerySet:
        """`user`'s own, of pictures and of searches that they may still see."""
        seen = Asset.objects.visible_to(user).order_by()
        return self._of(user).filter(Exists(seen.filter(pk=OuterRef("asset"))))

    def hidden_from(self, user: Person) -> MatchQuerySet:
        """Those that `user` may see again once their pictures come out of the trash or of quarantine."""
        shared = Collection.objects.visible_to(user).order_by().values("pk")
        away = Q(asset__trashed_at__isnull=False) | Q(asset__quarantined=True)
        return self._of(user).filter(away, asset__collection__in=shared)

    def shown(self) -> MatchQuerySet:
        """Whose pictures are neither in the trash nor in quarantine."""
        return self.filter(asset__trashed_at__isnull=True, asset__quarantined=False)

    def _of(self, user: Person) -> MatchQuerySet:
        searches = SavedSearch.objects.visible_to(user).order_by().values("pk")
        return self.filter(alert__person=user.pk, alert__search__in=searches)

    def unread(self) -> MatchQuerySet:
        return self.filter(read_at__isnull=True)


class Match(models.Model):
    """A new asset that an alert found; once for each asset, however often it comes again."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="matches")
    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="+")
    closeness = models.FloatField(default=0.0, help_text="Inner product; 0 where only words or filters decided")
    at = models.FloatField(default=0.0, help_text="Seconds, of the frame that matched")
    found_at = models.DateTimeField(db_default=Now())
    read_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)

    objects = MatchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "matches"
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(name="one_match_an_alert_and_asset", fields=["alert", "asset"])]
        indexes = [
            models.Index(name="match_newest", fields=["alert", "-id"]),
            models.Index(name="match_unread", fields=["alert"], condition=Q(read_at__isnull=True)),
            models.Index(name="match_unmailed", fields=["alert"], condition=Q(mailed_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.asset_id} for {self.alert_id}"

    def get_absolute_url(self) -> str:
        """The asset's page, at the second of a video that matched."""
        return self.asset.get_absolute_url() + (f"?t={self.at:.2f}" if self.at else "")

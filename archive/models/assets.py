"""Assets: one photo or video each, with the renditions made of it."""

from __future__ import annotations

import uuid
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, HashIndex
from django.core.files.storage import default_storage
from django.db import models
from django.db.models import Q
from django.urls import reverse

from archive.lookups import ILike
from archive.models.collections import CONTRIBUTING, CURATING, Collection

if TYPE_CHECKING:
    from archive.models.collections import CollectionQuerySet, Person


models.CharField.register_lookup(ILike)

ANY = str(uuid.UUID(int=0))


@cache
def _pattern(name: str, *rest: str) -> str:
    """An address with a gap for the id. A page has two addresses a picture: asking the router for
    each took a quarter of the time that a page of hits needs."""
    return reverse(name, args=[ANY, *rest])


class Kind(models.TextChoices):
    PHOTO = "photo", "Photo"
    VIDEO = "video", "Video"


class Status(models.TextChoices):
    """PENDING -> READY | FAILED; READY -> FAILED when the original is lost; FAILED -> PENDING when somebody retries.

    What is READY stays so while its work is done again.
    """

    PENDING = "pending", "Being prepared"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"


class AssetQuerySet(models.QuerySet["Asset"]):
    def shown(self) -> AssetQuerySet:
        """Neither in the trash nor in quarantine: what anybody may see at all, and what is counted."""
        return self.filter(trashed_at__isnull=True, quarantined=False)

    def visible_to(self, user: Person, *, named: bool = False) -> AssetQuerySet:
        """What `user` may see: the one predicate behind every list, page, file, count and search.

        What is in quarantine is absent for everybody; those who review it see it on the pages of the review alone.
        `named` changes how that is written down and nothing else (`CollectionQuerySet.keys`).
        """
        return self.shown()._in(Collection.objects.visible_to(user), user, named)

    def curated_by(self, user: Person, *, named: bool = False) -> AssetQuerySet:
        """What `user` may edit, move, trash and restore; the trash included, without what is in quarantine."""
        return self.filter(quarantined=False)._in(Collection.objects.open_to(user, CURATING), user, named)

    def seen_or_curated_by(self, user: Person) -> AssetQuerySet:
        """What `user` may see, and the trash of what they curate: every collection that one curates one may see."""
        found = self.filter(quarantined=False)
        if user.is_authenticated and user.is_superuser:
            return found
        curated = Collection.objects.open_to(user, CURATING).keys(named=True)
        found = found.filter(Q(trashed_at__isnull=True) | Q(collection__in=curated))
        return found._in(Collection.objects.visible_to(user), user, named=True)

    def held_from(self, user: Person) -> AssetQuerySet:
        """What `user` uploaded and what is in quarantine now, where they may still look: told that it is, no more."""
        open_to_them = Collection.objects.visible_to(user).order_by().values("pk")
        held = self.filter(trashed_at__isnull=True, quarantined=True)
        return held.filter(uploader=user.pk, collection__in=open_to_them) if user.pk else self.none()

    def _in(self, collections: CollectionQuerySet, user: Person, named: bool) -> AssetQuerySet:
        if user.is_authenticated and user.is_superuser:
            return self
        return self.filter(collection__in=collections.keys(named=named))


class Asset(models.Model):
    """One photo or video. `sha256` names its original bytes, which are never rewritten."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    collection = models.ForeignKey(Collection, on_delete=models.PROTECT, related_name="assets")
    uploader = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="uploads"
    )
    kind = models.CharField(max_length=5, choices=Kind.choices, default=Kind.PHOTO)
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.PENDING)
    error = models.TextField(blank=True, help_text="Why it failed, as a sentence for people")

    sha256 = models.CharField(max_length=64, db_index=True)
    original = models.CharField(max_length=200, help_text="Its key in the storage")
    filename = models.CharField(max_length=255, help_text="As it came; data, never a path")
    media_type = models.CharField(max_length=40)
    size = models.PositiveBigIntegerField(help_text="Bytes of the original")
    width = models.PositiveIntegerField(null=True, blank=True, help_text="Pixels, upright")
    height = models.PositiveIntegerField(null=True, blank=True)
    duration = models.FloatField(null=True, blank=True, help_text="Seconds")
    step_ms = models.PositiveIntegerField(null=True, blank=True, help_text="A video's: from one frame to the next")
    moments_in = models.ForeignKey(
        "Space",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        help_text="By whose vectors a video's frames were parted into shots",
    )

    title = models.CharField(max_length=300, blank=True)
    caption = models.TextField(blank=True)
    taken_at = models.DateTimeField(null=True, blank=True)
    camera = models.CharField(max_length=120, blank=True)
    place = models.CharField(max_length=200, blank=True)
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    exif = models.JSONField(default=dict, blank=True)
    keywords = models.JSONField(null=True, blank=True, editable=False, help_text="Of its file; null: never read")
    notes = models.JSONField(default=list, blank=True, help_text="What the decoder had to decide")

    added_at = models.DateTimeField(auto_now_add=True)
    trashed_at = models.DateTimeField(null=True, blank=True)
    # Follows from its flags (archive.moderation.quarantine), and stands here because every search asks for it.
    quarantined = models.BooleanField(default=False, db_default=False, editable=False)

    objects = AssetQuerySet.as_manager()

    class Meta:
        ordering = ["-added_at", "-id"]
        constraints = [
            # A trashed copy still counts: uploading it again brings it back.
            models.UniqueConstraint(name="one_asset_a_collection_and_content", fields=["collection", "sha256"]),
        ]
        indexes = [
            models.Index(name="asset_newest", fields=["-added_at", "-id"]),
            models.Index(name="asset_in_collection", fields=["collection", "-added_at", "-id"]),
            # For a whole name: the words of a common one stand in too many rows.
            HashIndex(name="asset_filename", fields=["filename"]),
            models.Index(name="asset_kept_in", fields=["collection"], condition=Q(trashed_at__isnull=True)),
            models.Index(name="asset_of_kind", fields=["kind", "-added_at", "-id"]),
            models.Index(name="asset_taken", fields=["taken_at", "id"], condition=Q(taken_at__isnull=False)),
            models.Index(name="asset_moments_in", fields=["moments_in"], condition=Q(kind=Kind.VIDEO)),
            models.Index(name="asset_unready", fields=["status"], condition=~Q(status=Status.READY)),
            models.Index(name="asset_trashed", fields=["trashed_at"], condition=Q(trashed_at__isnull=False)),
            models.Index(name="asset_quarantined", fields=["id"], condition=Q(quarantined=True)),
            GinIndex(name="asset_filename_words", fields=["filename"], opclasses=["gin_trgm_ops"]),
            GinIndex(name="asset_title_words", fields=["title"], opclasses=["gin_trgm_ops"]),
        ]

    def __str__(self) -> str:
        return self.title or self.filename

    def get_absolute_url(self) -> str:
        return self._address("asset")

    @property
    def ratio(self) -> float:
        """Width by height, for laying out; 1.5 until it is known."""
        return round(self.width / self.height, 4) if self.width and self.height else 1.5

    @property
    def thumbnail_url(self) -> str:
        return self._address("rendition", "thumbnail")

    @property
    def preview_url(self) -> str:
        return self._address("rendition", "preview")

    @property
    def original_url(self) -> str:
        return self._address("original")

    def _address(self, name: str, *rest: str) -> str:
        return _pattern(name, *rest).replace(ANY, str(self.uuid))

    def may_be_curated_by(self, user: Person) -> bool:
        return Asset.objects.curated_by(user).filter(pk=self.pk).exists()


def may_upload_to(user: Person) -> models.QuerySet[Collection]:
    return Collection.objects.open_to(user, CONTRIBUTING)


class Rendition(models.Model):
    """A picture made from an original by a spec. Named by content, so that equal originals share the file."""

    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="renditions")
    spec = models.CharField(max_length=20)
    key = models.CharField(max_length=200)
    media_type = models.CharField(max_length=40)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    size = models.PositiveBigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(name="one_rendition_a_spec", fields=["asset", "spec"])]

    def __str__(self) -> str:
        return self.key

    def read(self) -> bytes:
        with default_storage.open(self.key) as file:
            data: bytes = file.read()
        return data

"""Concepts, and the tags that put them on assets."""

from __future__ import annotations

import unicodedata
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from archive.models.assets import Asset
from archive.models.spaces import Space

LONGEST_NAME = 80


def fold(name: str) -> str:
    """What two spellings of one name have in common: “Été” and “ÉTÉ” are the same tag.

    Folded here and not by Postgres, whose lower() depends on the locale it was set up with.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", name).casefold())


class ConceptKind(models.TextChoices):
    TAG = "tag", "Tag"
    PROHIBITED = "prohibited", "Prohibited"


class Concept(models.Model):
    """A named idea. On an asset it is a tag; `archive.tag_names.clean_name` says what may be a name."""

    slug = models.SlugField(max_length=100, unique=True, allow_unicode=True, help_text="For addresses")
    name = models.CharField(max_length=LONGEST_NAME)
    folded = models.CharField(max_length=4 * LONGEST_NAME, unique=True, editable=False)
    kind = models.CharField(max_length=10, choices=ConceptKind.choices, default=ConceptKind.TAG)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["folded"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.folded = fold(self.name)
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "folded"}
        super().save(*args, **kwargs)


class TagState(models.TextChoices):
    """PROPOSED -> ACCEPTED | REJECTED; ACCEPTED -> REJECTED and back, whenever a curator thinks otherwise.

    What a person put on and takes off again leaves no row. What a model or a file proposed is REJECTED
    instead, so that it is not proposed anew.
    """

    PROPOSED = "proposed", "Proposed"
    ACCEPTED = "accepted", "Accepted"
    REJECTED = "rejected", "Rejected"


class TagSource(models.TextChoices):
    PERSON = "person", "Somebody"
    MODEL = "model", "A model"
    FILE = "file", "The file's keywords"


class TagQuerySet(models.QuerySet["Tag"]):
    def accepted(self) -> TagQuerySet:
        """The tags that count: shown, searched, filtered by."""
        return self.filter(state=TagState.ACCEPTED)


class Tag(models.Model):
    """A concept on an asset. `at` is when somebody or something last touched it: its version."""

    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="tags", db_index=False)
    concept = models.ForeignKey(Concept, on_delete=models.CASCADE, related_name="tags", db_index=False)
    state = models.CharField(max_length=8, choices=TagState.choices, default=TagState.ACCEPTED)
    source = models.CharField(max_length=6, choices=TagSource.choices, default=TagSource.PERSON)
    space = models.ForeignKey(
        Space, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False, help_text="Whose model it was"
    )
    score = models.FloatField(null=True, blank=True, help_text="How sure the model was, inside its space")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    at = models.DateTimeField(db_default=Now())

    objects = TagQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(name="one_tag_a_concept", fields=["asset", "concept"])]
        # A filter by tag reads this index and nothing else.
        indexes = [models.Index(name="tag_of_concept", fields=["concept", "state", "asset"])]

    def __str__(self) -> str:
        return f"{self.concept_id} on {self.asset_id}"

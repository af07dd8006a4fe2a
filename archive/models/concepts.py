"""Concepts, and the tags that put them on assets."""

from __future__ import annotations

import unicodedata
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse

from archive.models.assets import Asset
from archive.models.collections import Collection
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


class OnMatch(models.TextChoices):
    """What the model may do where it sees a concept of kind TAG. A concept that people merely tag with: nothing."""

    NOTHING = "nothing", "Nothing: people tag"
    PROPOSE = "propose", "Propose the tag"
    ACCEPT = "accept", "Put the tag on"


class ConceptQuerySet(models.QuerySet["Concept"]):
    def watched(self) -> ConceptQuerySet:
        """The concepts that every new vector is compared with."""
        return self.filter(~Q(on_match=OnMatch.NOTHING) | Q(kind=ConceptKind.PROHIBITED))


class Concept(models.Model):
    """A named idea. On an asset it is a tag; `archive.tag_names.clean_name` says what may be a name.

    `prompts` are what it looks like, in words (else the name); each is set into every one of `templates` (else the
    usual ones). `negatives` are what it is mistaken for. `archive.concepts.words` says what becomes of them.
    """

    slug = models.SlugField(max_length=100, unique=True, allow_unicode=True, help_text="For addresses")
    name = models.CharField(max_length=LONGEST_NAME)
    folded = models.CharField(max_length=4 * LONGEST_NAME, unique=True, editable=False)
    kind = models.CharField(max_length=10, choices=ConceptKind.choices, default=ConceptKind.TAG)
    on_match = models.CharField(max_length=7, choices=OnMatch.choices, default=OnMatch.NOTHING)
    prompts = models.JSONField(default=list, blank=True)
    templates = models.JSONField(default=list, blank=True)
    negatives = models.JSONField(default=list, blank=True)
    parent = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="children")
    scope = models.ManyToManyField(
        Collection, blank=True, related_name="+", help_text="Where it is looked for; empty: everywhere"
    )
    note = models.TextField(blank=True, help_text="What it means here, for the people who judge")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(auto_now=True, help_text="Its version, for whoever remembers it")

    objects = ConceptQuerySet.as_manager()

    class Meta:
        ordering = ["folded"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("concept", args=[self.pk])

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.folded = fold(self.name)
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "folded", "changed_at"}
        super().save(*args, **kwargs)


class ConceptExample(models.Model):
    """A picture that shows a concept, or (`counter`) one that is taken for it and is not."""

    concept = models.ForeignKey(Concept, on_delete=models.CASCADE, related_name="examples", db_index=False)
    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="+")
    counter = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(name="one_example_a_picture", fields=["concept", "asset"])]

    def __str__(self) -> str:
        return f"{self.asset_id} for {self.concept_id}"


class TagState(models.TextChoices):
    """PROPOSED -> ACCEPTED | REJECTED; ACCEPTED -> REJECTED and back, whenever a curator thinks otherwise.

    What a person put on and takes off again leaves no row, unless a model looks for it as well. What a model or
    a file proposed is REJECTED instead, so that it is not proposed anew.
    """

    PROPOSED = "proposed", "Proposed"
    ACCEPTED = "accepted", "Accepted"
    REJECTED = "rejected", "Rejected"


class TagSource(models.TextChoices):
    PERSON = "person", "Somebody"
    MODEL = "model", "A model"
    FILE = "file", "The file's keywords"


class TagQuerySet(models.QuerySet["Tag"]):
    def decided(self) -> TagQuerySet:
        """What people judged, with the account that did or without."""
        return self.filter(decided=True)

    def accepted(self) -> TagQuerySet:
        """The tags that count: shown, searched, filtered by. What is prohibited is judged, and never a tag."""
        return self.filter(state=TagState.ACCEPTED, concept__kind=ConceptKind.TAG)


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
    decided = models.BooleanField(db_default=False, default=False, help_text="By a person: no model changes it")

    objects = TagQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(name="one_tag_a_concept", fields=["asset", "concept"])]
        # A filter by tag reads this index and nothing else.
        indexes = [
            models.Index(name="tag_of_concept", fields=["concept", "state", "asset"]),
            models.Index(name="tag_touched", fields=["-at", "-id"], condition=Q(by__isnull=False)),
            models.Index(name="tag_proposed", fields=["asset"], condition=Q(state="proposed")),
        ]

    def __str__(self) -> str:
        return f"{self.concept_id} on {self.asset_id}"

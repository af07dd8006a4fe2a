"""What a concept is in a space: its vector, what it learnt from judgements, and its walks over what is stored."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from archive.models.concepts import Concept
from archive.models.spaces import Space


class ConceptVectorQuerySet(models.QuerySet["ConceptVector"]):
    def made(self) -> ConceptVectorQuerySet:
        """Without those that only keep a chosen line until their words are read."""
        return self.exclude(mark="")


class ConceptVector(models.Model):
    """A concept in a space: made once of its words and examples, which `mark` stands for, and made anew only when
    they change. Numbers are float32, little-endian; `archive.concepts.vectors` reads and writes them.

    `mean` and `spread` are those of the closeness of pictures at large. `line` is the score from which calibration
    says that it is there; `chosen` is what a person said instead.
    """

    concept = models.ForeignKey(Concept, on_delete=models.CASCADE, related_name="vectors", db_index=False)
    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="+")
    mark = models.CharField(max_length=64)
    vector = models.BinaryField(help_text="(768,) unit length")
    mean = models.FloatField()
    spread = models.FloatField()
    rivals = models.BinaryField(default=bytes, help_text="(k, 768): what it is mistaken for")
    rival_means = models.JSONField(default=list)
    rival_spreads = models.JSONField(default=list)
    pictures = models.PositiveIntegerField(default=0, help_text="How many pictures the background was taken from")
    line = models.FloatField(help_text="A score")
    chosen = models.FloatField(null=True, blank=True, help_text="A score, by a person")
    due = models.BooleanField(default=True, help_text="Changed since stored vectors were walked over")
    made_at = models.DateTimeField(auto_now=True)

    objects = ConceptVectorQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(name="one_vector_a_concept_and_space", fields=["concept", "space"])]

    def __str__(self) -> str:
        return f"{self.concept_id} in {self.space_id}"


class ConceptHead(models.Model):
    """What a concept learnt from judgements in a space, as a version. The one `in_use` takes the place of its words.

    `vector` (768,) float32 and `line` are used as those of `ConceptVector`; `measured` has what cross-validation saw.
    """

    concept = models.ForeignKey(Concept, on_delete=models.CASCADE, related_name="heads", db_index=False)
    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="+")
    version = models.PositiveIntegerField()
    in_use = models.BooleanField(default=False)
    vector = models.BinaryField()
    mean = models.FloatField()
    spread = models.FloatField()
    line = models.FloatField()
    accepted = models.PositiveIntegerField()
    rejected = models.PositiveIntegerField()
    measured = models.JSONField(default=dict)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_head_a_version", fields=["concept", "space", "version"]),
            models.UniqueConstraint(name="one_head_in_use", fields=["concept", "space"], condition=Q(in_use=True)),
        ]

    def __str__(self) -> str:
        return f"{self.concept_id} in {self.space_id}, version {self.version}"


class PassState(models.TextChoices):
    """WAITING -> RUNNING -> DONE; WAITING | RUNNING -> STOPPED when the space goes."""

    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    STOPPED = "stopped", "Stopped"


GOING = (PassState.WAITING, PassState.RUNNING)


class ConceptPass(models.Model):
    """A walk of some concepts over all stored vectors of a space, asset by asset. `position` is the last one that was
    looked at: it is committed with what was found up to there."""

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="+")
    concepts = models.ManyToManyField(Concept, related_name="passes")
    state = models.CharField(max_length=7, choices=PassState.choices, default=PassState.WAITING)
    position = models.BigIntegerField(default=0)
    total = models.PositiveIntegerField(default=0, help_text="Assets, as counted when it began")
    done = models.PositiveIntegerField(default=0)
    found = models.PositiveIntegerField(default=0, help_text="Tags put on, proposed or changed")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    touched_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [models.Index(name="passes_to_go_on", fields=["touched_at"], condition=Q(state__in=GOING))]

    def __str__(self) -> str:
        return f"{self.done} of {self.total}"

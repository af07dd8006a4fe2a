"""Moderation: what must not be in the archive, what is doubted, and what people said about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse

from archive.models.assets import Asset
from archive.models.collections import CURATING, Collection, Role
from archive.models.concepts import Concept
from archive.models.spaces import Space

if TYPE_CHECKING:
    from archive.models.collections import Person

REVIEW = "archive.review_flag"
SET = "archive.change_policy"


def reviews_everywhere(user: Person) -> bool:
    """Superusers, and whoever has the permission to review flags: the team of a whole archive."""
    return user.is_authenticated and user.has_perm(REVIEW)


def reviewed_collections(user: Person) -> models.QuerySet[Collection]:
    """Where `user` reviews: what they curate, or everything with the permission."""
    return Collection.objects.all() if reviews_everywhere(user) else Collection.objects.open_to(user, CURATING)


def sets_policies(user: Person) -> bool:
    """Superusers, and whoever has Django's permission for policies: only they change what a policy looks for."""
    return user.is_authenticated and user.has_perm(SET)


class Policy(models.Model):
    """What happens when a prohibited concept is found. OFF -> ON and back; what it raised stays to be decided."""

    concept = models.OneToOneField(
        Concept, on_delete=models.PROTECT, related_name="policy", limit_choices_to={"kind": "prohibited"}
    )
    everywhere = models.BooleanField(default=True, help_text="In all collections, those that are made later included")
    # Beside `everywhere`: a policy whose last collection is deleted must not suddenly hold everywhere.
    collections = models.ManyToManyField(Collection, blank=True, help_text="Where it holds, if not everywhere")
    second_reviewer = models.BooleanField(
        default=False, help_text="Two people decide each flag without seeing the other's answer"
    )
    holds_new = models.BooleanField(
        "hold new uploads", default=False, help_text="Nobody sees an upload before it was looked at"
    )
    is_on = models.BooleanField("on", default=False, editable=False)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "policies"
        ordering = ["concept__folded"]

    def __str__(self) -> str:
        return str(self.concept)

    def covered(self) -> models.QuerySet[Asset]:
        """The assets for which it holds, wherever they are by now: hidden ones too, without the trash."""
        assets: models.QuerySet[Asset] = Asset.objects.filter(trashed_at__isnull=True)
        return assets if self.everywhere else assets.filter(collection__in=self.collections.order_by().values("pk"))


class PolicyLine(models.Model):
    """The two thresholds of a policy. Scores compare only inside one space, so each space has its own line."""

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="lines")
    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="+")
    review_at = models.FloatField(help_text="From this score on somebody has to look at it")
    quarantine_at = models.FloatField(null=True, blank=True, help_text="From this score on it is hidden at once")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_line_a_space", fields=["policy", "space"]),
            models.CheckConstraint(
                name="hidden_is_worse_than_doubted",
                condition=Q(quarantine_at__isnull=True) | Q(quarantine_at__gte=F("review_at")),
                violation_error_message="What is hidden at once needs at least the score of what is reviewed.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.policy_id} in {self.space_id}: {self.review_at}, {self.quarantine_at}"


class FlagState(models.TextChoices):
    """OPEN -> UPHELD | DISMISSED; UPHELD <-> DISMISSED when a reviewer corrects it, or takes a correction back; both
    -> OPEN when whoever decided first takes it back. Only people leave UPHELD and DISMISSED: no model ever raises
    such a flag again.
    An OPEN flag that nobody answered can be withdrawn with the rest of its policy, and leaves no row.
    """

    OPEN = "open", "Open"
    UPHELD = "upheld", "Upheld"
    DISMISSED = "dismissed", "Dismissed"


class FlagQuerySet(models.QuerySet["Flag"]):
    def reviewed_by(self, user: Person) -> FlagQuerySet:
        """The flags that `user` may look at and answer. Nobody judges their own upload, superusers excepted."""
        if not user.is_authenticated:
            return self.none()
        flags = self.filter(asset__trashed_at__isnull=True)
        if user.is_superuser:
            return flags
        flags = flags.exclude(asset__uploader=user.pk)
        if reviews_everywhere(user):
            return flags
        return flags.filter(asset__collection__in=reviewed_collections(user).order_by().values("pk"))

    def waiting_for(self, user: Person) -> FlagQuerySet:
        """The open ones that `user` has not answered yet, those that hide something first."""
        answered = Verdict.objects.filter(person=user.pk).order_by().values("flag")
        mine = Q(escalated_at__isnull=True) & ~Q(pk__in=answered)
        ended = Q(escalated_at__isnull=False)
        if not reviews_everywhere(user):
            owned = Collection.objects.open_to(user, (Role.OWNER,)).order_by().values("pk")
            ended &= Q(asset__collection__in=owned)
        return self.reviewed_by(user).filter(mine | ended, state=FlagState.OPEN).order_by("-hides", "id")


class Flag(models.Model):
    """A doubt about an asset: one for each concept, for ever. `version` counts what reviewers have to know of.

    `moments` are stretches of a video, [{"frame", "at", "start", "end", "score"}] in seconds; of a photo its one frame.
    """

    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="flags", db_index=False)
    concept = models.ForeignKey(Concept, on_delete=models.PROTECT, related_name="flags")
    state = models.CharField(max_length=9, choices=FlagState.choices, default=FlagState.OPEN)
    hides = models.BooleanField(default=False, help_text="It was hidden at once, until somebody decides")
    score = models.FloatField(null=True, blank=True, help_text="The highest, inside its space")
    space = models.ForeignKey(Space, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    moments = models.JSONField(default=list, blank=True)
    version = models.PositiveIntegerField(default=1)
    escalated_at = models.DateTimeField(null=True, blank=True)
    raised_at = models.DateTimeField(db_default=Now())
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = FlagQuerySet.as_manager()

    class Meta:
        permissions = [("review_flag", "Can review flags in all collections")]
        constraints = [models.UniqueConstraint(name="one_flag_a_concept", fields=["asset", "concept"])]
        indexes = [models.Index(name="flag_queue", fields=["-hides", "id"], condition=Q(state="open"))]

    def __str__(self) -> str:
        return f"{self.concept_id} on {self.asset_id}: {self.state}"

    def get_absolute_url(self) -> str:
        return reverse("review_flag", args=[self.pk])

    def may_be_ended_by(self, user: Person) -> bool:
        """Who decides what was escalated: owners of the collection, and whoever reviews everywhere."""
        if reviews_everywhere(user):
            return True
        return Collection.objects.open_to(user, (Role.OWNER,)).filter(pk=self.asset.collection_id).exists()


class Answer(models.TextChoices):
    UPHOLD = "uphold", "Uphold"
    DISMISS = "dismiss", "Dismiss"


class Verdict(models.Model):
    """What one reviewer said about a flag. Their last word; the log has all of them."""

    flag = models.ForeignKey(Flag, on_delete=models.CASCADE, related_name="verdicts", db_index=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    answer = models.CharField(max_length=7, choices=Answer.choices)
    reason = models.CharField(max_length=500, blank=True)
    blind = models.BooleanField(default=False, help_text="Given without seeing what another reviewer had said")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(name="one_verdict_a_person", fields=["flag", "person"])]

    def __str__(self) -> str:
        return f"{self.person_id} on flag {self.flag_id}: {self.answer}"

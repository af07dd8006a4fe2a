"""Embedding spaces: vectors compare only inside one."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

# Every stored vector has this many numbers. A model with fewer is padded with zeros,
# which changes no inner product; one with more is refused.
DIMENSIONS = 768


class SpaceState(models.TextChoices):
    """BUILDING -> READY -> ACTIVE; ACTIVE -> READY when another takes over, and back; BUILDING | READY -> RETIRED.

    BUILDING becomes READY by itself, once it is full and has its index. All but RETIRED are live: uploads are
    written to each of them, so that a switch, in either direction, loses nothing.
    """

    BUILDING = "building", "Being filled"
    READY = "ready", "Full, waiting"
    ACTIVE = "active", "Searched"
    RETIRED = "retired", "Retired"


# Large, and of no use to a search.
UNREAD = ("identity", "goldens", "evaluation")
LIVE = (SpaceState.BUILDING, SpaceState.READY, SpaceState.ACTIVE)


class SpaceQuerySet(models.QuerySet["Space"]):
    def live(self) -> SpaceQuerySet:
        """The spaces that new uploads are written to."""
        return self.filter(state__in=LIVE)

    def slim(self) -> SpaceQuerySet:
        """Without what only its encoder and its own page read."""
        return self.defer(*UNREAD)

    def active(self) -> Space | None:
        """The space that is searched, if there is one."""
        return self.filter(state=SpaceState.ACTIVE).slim().first()


class Space(models.Model):
    """A model with its weights and preprocessing, as `fingerprint` pins them.

    `model` is how an encoder is opened: `shipped:NAME`, `local-dir:PATH`, an open_clip
    architecture with `pretrained` weights, `adapter:SHA256` on top of the `parent`'s encoder,
    or `fake` in tests.
    """

    slug = models.SlugField(max_length=60, unique=True)
    model = models.CharField(max_length=300)
    pretrained = models.CharField(max_length=300, blank=True)
    fingerprint = models.CharField(max_length=64, blank=True)
    identity = models.JSONField(default=dict, help_text="What the fingerprint covers: weights, preprocessing, ...")
    dimensions = models.PositiveSmallIntegerField(default=DIMENSIONS, help_text="Of the model, before padding")
    context_length = models.PositiveSmallIntegerField(default=77, help_text="Tokens of a text")
    logit_scale = models.FloatField(null=True, blank=True)
    logit_bias = models.FloatField(null=True, blank=True, help_text="SigLIP has one, CLIP none")
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="derived",
        help_text="Whose vectors an adapter turns into this space's",
    )
    gain = models.JSONField(default=dict, blank=True, help_text="What an adapter was seen to find, beside its parent")
    goldens = models.JSONField(default=dict, help_text="Vectors of the golden pictures and texts")
    calibration = models.JSONField(
        default=dict, blank=True, help_text="From which closeness its model means it: see workers.calibration"
    )
    knows = models.CharField(max_length=200, blank=True, help_text="A line for people: what it is good for")
    state = models.CharField(max_length=8, choices=SpaceState.choices, default=SpaceState.BUILDING)
    takes_over = models.BooleanField(
        default=False, db_default=False, help_text="Searched by itself as soon as it is full"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    activated_at = models.DateTimeField(null=True, blank=True)
    evaluation = models.JSONField(default=dict, blank=True, help_text="What was measured last, and when")

    objects = SpaceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_active_space", fields=["state"], condition=Q(state="active")),
            models.UniqueConstraint(name="one_building_space", fields=["state"], condition=Q(state="building")),
        ]

    def __str__(self) -> str:
        return self.slug

"""Near-duplicates: what a picture looks like, which pairs look alike, and what people decided about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from pgvector.django import BitField, HnswIndex

from archive.models.assets import Asset, Status
from archive.pdq import BITS

if TYPE_CHECKING:
    from archive.models.collections import Person

# PDQ's authors advise to leave out what has a quality below 50: with so little to see, hashes are chance.
LEAST_QUALITY = 50
# Black, white and single-coloured frames all look alike, and not because one is a copy of the other.
LEAST_SPREAD = 8.0

COMPARABLE = Q(quality__gte=LEAST_QUALITY, spread__gte=LEAST_SPREAD)


class FingerprintQuerySet(models.QuerySet["Fingerprint"]):
    def new(self) -> FingerprintQuerySet:
        """Of assets that are ready and were never compared with the others."""
        return self.filter(compared_at__isnull=True, asset__status=Status.READY)


class Fingerprint(models.Model):
    """What a photo looks like (archive.pdq). Made with its renditions, compared once it is READY.

    Only COMPARABLE ones lie in the index: a blank frame is never anybody's neighbour.
    """

    asset = models.OneToOneField(Asset, on_delete=models.CASCADE, primary_key=True, related_name="fingerprint")
    pdq = BitField(length=BITS)
    quality = models.PositiveSmallIntegerField(help_text="PDQ's own, 0 to 100")
    spread = models.FloatField(help_text="Standard deviation of the lightness, 0 to 128")
    colours = models.BinaryField(help_text="Cb and Cr of 8 x 8 cells")
    compared_at = models.DateTimeField(null=True, blank=True)

    objects = FingerprintQuerySet.as_manager()

    class Meta:
        indexes = [
            HnswIndex(
                name="fingerprint_pdq",
                fields=["pdq"],
                opclasses=["bit_hamming_ops"],
                m=16,
                ef_construction=64,
                condition=COMPARABLE,
            ),
            models.Index(name="fingerprint_new", fields=["asset"], condition=Q(compared_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"fingerprint of {self.asset_id}"


class Likeness(models.TextChoices):
    """Kept apart, because one keeps the best of the same picture, but often several of a burst."""

    SAME = "same", "Same picture"
    BURST = "burst", "Burst"
    SIMILAR = "similar", "Similar"


class PairState(models.TextChoices):
    """OPEN -> RESOLVED (the best was kept) | DISMISSED (they are to stay); both -> OPEN when it is undone."""

    OPEN = "open", "To be looked at"
    RESOLVED = "resolved", "Best kept"
    DISMISSED = "dismissed", "To stay"


class Decision(models.Model):
    """What somebody decided about a group, so that it can be undone: MADE -> UNDONE (`undone_at`)."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    trashed = ArrayField(models.BigIntegerField(), default=list, help_text="The assets that it put into the trash")
    made_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"decision {self.pk} of {self.person_id}"


class DuplicatePairQuerySet(models.QuerySet["DuplicatePair"]):
    """Permission is asked pair by pair, from the newest on, for as long as a page needs more: not of every asset."""

    def visible_to(self, user: Person) -> DuplicatePairQuerySet:
        """Pairs of which `user` may see both: nobody learns of a copy that they may not see."""
        seen = Asset.objects.visible_to(user, named=True).order_by()
        return self.filter(Exists(seen.filter(pk=OuterRef("low"))), Exists(seen.filter(pk=OuterRef("high"))))

    def decided_by(self, user: Person) -> DuplicatePairQuerySet:
        """Visible pairs that are `user`'s to decide: of at least one asset that they curate."""
        curated = Asset.objects.curated_by(user, named=True).order_by()
        either = curated.filter(Q(pk=OuterRef("low")) | Q(pk=OuterRef("high")))
        return self.visible_to(user).filter(Exists(either))


class DuplicatePair(models.Model):
    """Two assets that look alike; `low` has the smaller id."""

    low = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="+")
    high = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=7, choices=Likeness.choices)
    distance = models.PositiveSmallIntegerField(null=True, help_text="Bits of PDQ that differ, of 256; 0: same bytes")
    closeness = models.FloatField(null=True, help_text="Inner product of their vectors in the space searched then")
    state = models.CharField(max_length=9, choices=PairState.choices, default=PairState.OPEN)
    decision = models.ForeignKey(Decision, on_delete=models.SET_NULL, null=True, blank=True, related_name="pairs")
    found_at = models.DateTimeField(auto_now_add=True)

    objects = DuplicatePairQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_pair_of_two_assets", fields=["low", "high"]),
            models.CheckConstraint(name="a_pair_is_in_order", condition=Q(low__lt=F("high"))),
        ]
        indexes = [
            models.Index(name="pair_open", fields=["kind", "-id"], condition=Q(state="open")),
        ]

    def __str__(self) -> str:
        return f"{self.low_id} ~ {self.high_id} ({self.kind})"

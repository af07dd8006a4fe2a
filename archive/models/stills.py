"""What the stills of moments look like, so that a stretch of one film is recognised in another."""

from __future__ import annotations

from django.db import models
from pgvector.django import BitField

from archive.models.frames import Frame
from archive.pdq import BITS


class StillFingerprint(models.Model):
    """Of a moment's still (archive.pdq). Made when it is first asked for; compared with a few others, so no index."""

    frame = models.OneToOneField(Frame, on_delete=models.CASCADE, primary_key=True, related_name="fingerprint")
    pdq = BitField(length=BITS)
    quality = models.PositiveSmallIntegerField(help_text="PDQ's own, 0 to 100")
    spread = models.FloatField(help_text="Standard deviation of the lightness, 0 to 128")

    def __str__(self) -> str:
        return f"fingerprint of frame {self.frame_id}"

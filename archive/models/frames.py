"""Frames: stills of an asset at a timestamp."""

from django.db import models

from archive.models.assets import Asset


class Frame(models.Model):
    """A still at `at` seconds: a photo has one, a video one for each sampled second.

    A *representative* frame stands for a shot and carries its start, end and still;
    a moment is such a shot. Only representatives are indexed by HNSW.
    """

    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="frames")
    at = models.FloatField(default=0.0, help_text="Seconds from the start")
    representative = models.BooleanField(default=True)
    start = models.FloatField(null=True, blank=True)
    end = models.FloatField(null=True, blank=True)
    still = models.CharField(max_length=200, blank=True, help_text="Key of its picture in the storage")

    class Meta:
        constraints = [models.UniqueConstraint(name="one_frame_a_timestamp", fields=["asset", "at"])]

    def __str__(self) -> str:
        return f"{self.asset_id}@{self.at:.1f}"

"""Stored vectors, partitioned by space."""

from __future__ import annotations

from django.db import models
from pgvector.django import HalfVectorField

from archive.models.assets import Asset
from archive.models.frames import Frame
from archive.models.spaces import DIMENSIONS, Space


class Embedding(models.Model):
    """The unit vector of a frame in a space.

    The table is LIST-partitioned by space (migration 0002), one partition each with an HNSW
    index over the representatives once it is large; a space is retired by dropping its partition.
    halfvec and not vector: 768 half floats stay inside the row, 768 floats go to TOAST,
    which makes exact scans several times slower.
    """

    pk = models.CompositePrimaryKey("space_id", "frame_id")
    space = models.ForeignKey(Space, on_delete=models.DO_NOTHING, related_name="+")
    frame = models.ForeignKey(Frame, on_delete=models.DO_NOTHING, related_name="+", db_index=False)
    # Beside the frame's own: re-scoring an asset's frames must not join.
    asset = models.ForeignKey(Asset, on_delete=models.DO_NOTHING, related_name="+", db_index=False)
    representative = models.BooleanField(default=True)
    vector = HalfVectorField(dimensions=DIMENSIONS)

    class Meta:
        db_table = "archive_embedding"

    def __str__(self) -> str:
        return f"{self.space_id}/{self.frame_id}"


class ClipEmbedding(models.Model):
    """The mean of a video's frame vectors, made unit again: one vector for the whole video."""

    pk = models.CompositePrimaryKey("space_id", "asset_id")
    space = models.ForeignKey(Space, on_delete=models.DO_NOTHING, related_name="+")
    asset = models.ForeignKey(Asset, on_delete=models.DO_NOTHING, related_name="+", db_index=False)
    vector = HalfVectorField(dimensions=DIMENSIONS)

    class Meta:
        db_table = "archive_clipembedding"

    def __str__(self) -> str:
        return f"{self.space_id}/{self.asset_id}"

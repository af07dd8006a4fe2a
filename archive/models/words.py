"""What is written about an asset, as Postgres looks it up."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from archive.models.assets import Asset

# A text search configuration without a language: lower case, without accents, no stemming.
CONFIGURATION = "sightline"


class AssetWords(models.Model):
    """Title, file name, tags, caption, place and camera of an asset, in falling weight.

    Triggers keep it (migration 0008), so that no way of changing an asset or its tags can forget to. A
    table of its own, so that they do not rewrite the asset.
    """

    asset = models.OneToOneField(Asset, on_delete=models.CASCADE, primary_key=True, related_name="words")
    said = SearchVectorField()

    class Meta:
        db_table = "archive_words"
        indexes = [GinIndex(name="asset_words", fields=["said"])]

    def __str__(self) -> str:
        return str(self.asset_id)

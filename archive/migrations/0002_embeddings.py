"""The embedding tables, LIST-partitioned by space. Partitions come with their spaces (archive.spaces)."""

from typing import Any

import django.db.models.deletion
import pgvector.django
from django.db import migrations, models

FORWARD = """
CREATE TABLE archive_embedding (
    space_id bigint NOT NULL REFERENCES archive_space (id),
    frame_id bigint NOT NULL REFERENCES archive_frame (id) ON DELETE CASCADE,
    asset_id bigint NOT NULL,
    representative boolean NOT NULL DEFAULT true,
    vector halfvec(768) NOT NULL,
    PRIMARY KEY (space_id, frame_id)
) PARTITION BY LIST (space_id);
ALTER TABLE archive_embedding ALTER COLUMN vector SET STORAGE PLAIN;
CREATE INDEX archive_embedding_asset ON archive_embedding (asset_id);
CREATE TABLE archive_clipembedding (
    space_id bigint NOT NULL REFERENCES archive_space (id),
    asset_id bigint NOT NULL REFERENCES archive_asset (id) ON DELETE CASCADE,
    vector halfvec(768) NOT NULL,
    PRIMARY KEY (space_id, asset_id)
) PARTITION BY LIST (space_id);
ALTER TABLE archive_clipembedding ALTER COLUMN vector SET STORAGE PLAIN;
"""
BACKWARD = "DROP TABLE archive_embedding; DROP TABLE archive_clipembedding;"


def reference(to: str, *, index: bool = False) -> models.ForeignKey[Any, Any]:
    return models.ForeignKey(
        db_index=index,
        on_delete=django.db.models.deletion.DO_NOTHING,
        related_name="+",
        to=f"archive.{to}",
    )


class Migration(migrations.Migration):
    dependencies = [("archive", "0001_initial")]

    operations = [
        # Django has no words for partitions: it is told of two plain models, Postgres gets the truth.
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(FORWARD, BACKWARD)],
            state_operations=[
                migrations.CreateModel(
                    name="Embedding",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "space_id",
                                "frame_id",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("representative", models.BooleanField(default=True)),
                        ("vector", pgvector.django.HalfVectorField(dimensions=768)),
                        ("asset", reference("asset")),
                        ("frame", reference("frame")),
                        ("space", reference("space", index=True)),
                    ],
                    options={"db_table": "archive_embedding"},
                ),
                migrations.CreateModel(
                    name="ClipEmbedding",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "space_id",
                                "asset_id",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("vector", pgvector.django.HalfVectorField(dimensions=768)),
                        ("asset", reference("asset")),
                        ("space", reference("space", index=True)),
                    ],
                    options={"db_table": "archive_clipembedding"},
                ),
            ],
        )
    ]

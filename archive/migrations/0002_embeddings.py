"""The embedding tables, LIST-partitioned by space. Partitions come with their spaces (archive.spaces)."""

from django.db import migrations

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


class Migration(migrations.Migration):
    dependencies = [("archive", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

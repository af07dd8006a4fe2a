"""The keywords of files, and what the lists of curators are read from. A large archive is used meanwhile."""

from django.contrib.postgres.indexes import GinIndex, HashIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q

OPEN = ("ready", "running", "quarantined")
INDEXES = (
    ("asset", HashIndex(name="asset_filename", fields=["filename"])),
    ("asset", models.Index(name="asset_kept_in", fields=["collection"], condition=Q(trashed_at__isnull=True))),
    ("asset", models.Index(name="asset_of_kind", fields=["kind", "-added_at", "-id"])),
    ("asset", GinIndex(name="asset_title_words", fields=["title"], opclasses=["gin_trgm_ops"])),
    ("work", models.Index(name="work_not_done", fields=["-id"], condition=Q(state__in=OPEN))),
    ("tag", models.Index(name="tag_touched", fields=["-at", "-id"], condition=Q(by__isnull=False))),
    ("tag", models.Index(name="tag_proposed", fields=["asset"], condition=Q(state="proposed"))),
)


def build(model: str, index: models.Index) -> list[migrations.RunSQL | AddIndexConcurrently]:
    """One that broke off is built again."""
    drop = migrations.RunSQL(f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}", migrations.RunSQL.noop)
    return [drop, AddIndexConcurrently(model_name=model, index=index)]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("archive", "0015_saved_searches")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE archive_asset ADD COLUMN IF NOT EXISTS keywords jsonb NULL",
            "ALTER TABLE archive_asset DROP COLUMN IF EXISTS keywords",
            state_operations=[
                migrations.AddField(
                    model_name="asset",
                    name="keywords",
                    field=models.JSONField(
                        blank=True, editable=False, help_text="Of its file; null: never read", null=True
                    ),
                ),
            ],
        ),
        *(operation for model, index in INDEXES for operation in build(model, index)),
    ]

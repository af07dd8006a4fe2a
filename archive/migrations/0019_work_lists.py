"""What the lists of work are read from while a space is filled. A large archive is used meanwhile."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q

INDEXES = (
    models.Index(
        name="work_not_done_but_encode",
        fields=["-id"],
        condition=Q(state__in=("ready", "running", "quarantined")) & ~Q(step="encode"),
    ),
    models.Index(name="work_skipped", fields=["-id"], condition=Q(state="cancelled")),
)
# Most steps of one kind are done and most of another wait: Postgres takes the two for independent unless it is told to
# look, and then reads a million assets to find a few.
KINDS = ["CREATE STATISTICS IF NOT EXISTS work_kinds (mcv) ON step, target, state FROM archive_work"]
LOOK = "ANALYZE archive_work"


def build(index: models.Index) -> list[migrations.RunSQL | AddIndexConcurrently]:
    """One that broke off is built again."""
    drop = migrations.RunSQL(f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}", migrations.RunSQL.noop)
    return [drop, AddIndexConcurrently(model_name="work", index=index)]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("archive", "0018_large_videos")]

    operations = [
        *(operation for index in INDEXES for operation in build(index)),
        migrations.RunSQL([*KINDS, LOOK], "DROP STATISTICS IF EXISTS work_kinds"),
    ]

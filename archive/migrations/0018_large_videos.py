"""Renditions of more than 2 GB, as a long video that browsers play; and what finds videos without moments, and what is
in quarantine.

The size of a rendition becomes a bigint: that writes the table of renditions anew, three rows a picture, and as long
as that lasts pages with pictures wait. The indexes are built while the archive is used.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q

INDEXES = (
    models.Index(condition=Q(("kind", "video")), fields=["moments_in"], name="asset_moments_in"),
    models.Index(condition=Q(("quarantined", True)), fields=["id"], name="asset_quarantined"),
)


def build(index: models.Index) -> list[migrations.RunSQL | AddIndexConcurrently]:
    """One that broke off is built again."""
    drop = migrations.RunSQL(f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}", migrations.RunSQL.noop)
    return [drop, AddIndexConcurrently(model_name="asset", index=index)]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("archive", "0017_spaces_set_up")]

    operations = [
        migrations.AlterField("rendition", "size", models.PositiveBigIntegerField()),
        *(operation for index in INDEXES for operation in build(index)),
    ]

"""The order of moments is exact to the picture: what was taken in the same second stands in the order of its ids."""

from django.db import migrations, models
from django.db.models import Q

DROP = "DROP INDEX CONCURRENTLY IF EXISTS asset_taken"  # the one of before, or one of which the build failed
CREATE = "CREATE INDEX CONCURRENTLY asset_taken ON archive_asset (taken_at{}) WHERE taken_at IS NOT NULL"


class Migration(migrations.Migration):
    atomic = False  # a large archive is used meanwhile

    dependencies = [("archive", "0009_calibration")]

    operations = [
        migrations.RunSQL(
            [DROP, CREATE.format(", id")],
            [DROP, CREATE.format("")],
            state_operations=[
                migrations.RemoveIndex(model_name="asset", name="asset_taken"),
                migrations.AddIndex(
                    model_name="asset",
                    index=models.Index(
                        name="asset_taken", fields=["taken_at", "id"], condition=Q(taken_at__isnull=False)
                    ),
                ),
            ],
        ),
    ]

"""What a space was measured to be, and an index by which its progress is counted."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # the index of a large archive is built while it is used

    dependencies = [("archive", "0002_embeddings")]

    operations = [
        migrations.AddField(
            model_name="space",
            name="evaluation",
            field=models.JSONField(blank=True, default=dict, help_text="What was measured last, and when"),
        ),
        AddIndexConcurrently(
            model_name="work",
            index=models.Index(fields=["step", "target", "state"], name="work_by_target"),
        ),
    ]

"""What a space was measured to be, and an index by which its progress is counted.

Not atomic: the index of a large archive is built while it is used. A build that failed leaves the column and an
index that is not valid, so each step finds out for itself what is there: run again, it makes the rest.
"""

from django.db import migrations, models

ADD_COLUMN = "ALTER TABLE archive_space ADD COLUMN IF NOT EXISTS evaluation jsonb NOT NULL DEFAULT '{}'"
DROP_DEFAULT = "ALTER TABLE archive_space ALTER COLUMN evaluation DROP DEFAULT"  # Django writes its own
DROP_COLUMN = "ALTER TABLE archive_space DROP COLUMN IF EXISTS evaluation"
DROP_INDEX = "DROP INDEX CONCURRENTLY IF EXISTS work_by_target"
CREATE_INDEX = "CREATE INDEX CONCURRENTLY work_by_target ON archive_work (step, target, state)"


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("archive", "0002_embeddings")]

    operations = [
        migrations.RunSQL(
            [ADD_COLUMN, DROP_DEFAULT],
            [DROP_COLUMN],
            state_operations=[
                migrations.AddField(
                    model_name="space",
                    name="evaluation",
                    field=models.JSONField(blank=True, default=dict, help_text="What was measured last, and when"),
                )
            ],
        ),
        migrations.RunSQL(
            [DROP_INDEX, CREATE_INDEX],
            [DROP_INDEX],
            state_operations=[
                migrations.AddIndex(
                    model_name="work",
                    index=models.Index(fields=["step", "target", "state"], name="work_by_target"),
                )
            ],
        ),
    ]

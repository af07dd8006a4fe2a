"""From which closeness a model means it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("archive", "0008_words")]

    operations = [
        migrations.AddField(
            model_name="space",
            name="calibration",
            field=models.JSONField(
                blank=True, default=dict, help_text="From which closeness its model means it: see workers.calibration"
            ),
        ),
    ]

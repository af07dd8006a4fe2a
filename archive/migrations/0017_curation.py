"""The keywords of files, and what the lists of curators are read from."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("archive", "0014_concepts")]

    operations = [
        migrations.AddField(
            model_name="asset",
            name="keywords",
            field=models.JSONField(blank=True, editable=False, help_text="Of its file; null: never read", null=True),
        ),
    ]

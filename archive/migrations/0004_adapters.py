"""Spaces that are derived from another one by an adapter, with what that was seen to gain."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("archive", "0003_space_life")]

    operations = [
        migrations.AddField(
            model_name="space",
            name="parent",
            field=models.ForeignKey(
                blank=True,
                help_text="Whose vectors an adapter turns into this space's",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="derived",
                to="archive.space",
            ),
        ),
        migrations.AddField(
            model_name="space",
            name="gain",
            field=models.JSONField(
                blank=True, default=dict, help_text="What an adapter was seen to find, beside its parent"
            ),
        ),
    ]

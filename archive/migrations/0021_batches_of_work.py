"""Two more actions on many assets. Only the words in Python change."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("archive", "0020_accents_beside_digits")]

    operations = [
        migrations.AlterField(
            model_name="batch",
            name="action",
            field=models.CharField(
                choices=[
                    ("tag", "Tag"),
                    ("untag", "Take tags off"),
                    ("move", "Move"),
                    ("trash", "Move to the trash"),
                    ("restore", "Put back from the trash"),
                    ("download", "Download"),
                    ("encode", "Encode again"),
                    ("retry", "Try failed ones again"),
                ],
                max_length=8,
            ),
        ),
    ]

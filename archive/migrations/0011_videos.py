"""Videos: the position of their work, the step between frames, and the space that parted them into shots.

Columns that may be empty are added in an instant, whatever the size of the table. What they are found by is
built in 0018, while a large archive is used.
"""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("archive", "0010_taken_in_order")]

    operations = [
        migrations.AlterField(
            "work",
            "step",
            models.CharField(
                choices=[
                    ("prepare", "Read and make renditions"),
                    ("encode", "Make the vector"),
                    ("play", "Make a video playable"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddField(
            "asset",
            "step_ms",
            models.PositiveIntegerField(blank=True, help_text="A video's: from one frame to the next", null=True),
        ),
        migrations.AddField(
            "asset",
            "moments_in",
            models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="By whose vectors a video's frames were parted into shots",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="archive.space",
            ),
        ),
        migrations.AddField(
            "collection",
            "frames_per_second",
            models.FloatField(
                blank=True,
                help_text="Of new videos: how many frames of a second are looked at. Empty: as everywhere.",
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(0.01),
                    django.core.validators.MaxValueValidator(30),
                ],
            ),
        ),
        migrations.AddField(
            "work",
            "position",
            models.BigIntegerField(blank=True, help_text="Milliseconds of a video that are done", null=True),
        ),
        migrations.AddField(
            "work",
            "begun_at",
            models.DateTimeField(blank=True, help_text="When the first chunk of a video was done", null=True),
        ),
        migrations.AlterField(
            "work",
            "priority",
            models.SmallIntegerField(
                choices=[
                    (0, "One upload, somebody waits"),
                    (10, "Many files"),
                    (15, "The rest of a video"),
                    (20, "A new space"),
                ],
                default=10,
            ),
        ),
    ]

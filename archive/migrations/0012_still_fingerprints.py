"""Fingerprints of moments' stills, by which a stretch of one film is recognised in another."""

import django.db.models.deletion
import pgvector.django.bit
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("archive", "0011_videos")]

    operations = [
        migrations.CreateModel(
            name="StillFingerprint",
            fields=[
                (
                    "frame",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="fingerprint",
                        serialize=False,
                        to="archive.frame",
                    ),
                ),
                ("pdq", pgvector.django.bit.BitField(length=256)),
                ("quality", models.PositiveSmallIntegerField(help_text="PDQ's own, 0 to 100")),
                ("spread", models.FloatField(help_text="Standard deviation of the lightness, 0 to 128")),
            ],
        ),
    ]

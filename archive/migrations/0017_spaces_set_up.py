"""Spaces that are set up in the admin, and those that take over by themselves."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Now

THEN = [
    ("search", "Fill a space with it, and search that one as soon as it is full"),
    ("fill", "Fill a space with it, and let me compare before I switch"),
    ("fetch", "Download it, nothing more"),
]
STATES = [
    ("waiting", "Waits for an encode worker"),
    ("fetching", "Downloading"),
    ("opening", "Opening the model"),
    ("adapting", "Training an adapter"),
    ("done", "Done"),
    ("failed", "Failed"),
    ("cancelled", "Cancelled"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0016_curation"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="space",
            name="takes_over",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Searched by itself as soon as it is full"
            ),
        ),
        migrations.CreateModel(
            name="Setup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "slug",
                    models.CharField(
                        blank=True, help_text="Of the space to come; empty: only a download", max_length=60
                    ),
                ),
                ("model", models.CharField(blank=True, max_length=310)),
                (
                    "weights",
                    models.CharField(blank=True, help_text="Folder or file, as the workers see it", max_length=300),
                ),
                ("loss", models.CharField(blank=True, max_length=10)),
                ("then", models.CharField(choices=THEN, default="fill", max_length=10)),
                ("state", models.CharField(choices=STATES, default="waiting", max_length=10)),
                ("file", models.CharField(blank=True, help_text="What is being downloaded", max_length=200)),
                ("here", models.BigIntegerField(default=0, help_text="Bytes of it that are here")),
                ("size", models.BigIntegerField(default=0, help_text="Bytes in all")),
                ("said", models.TextField(blank=True, help_text="How far it is, or why it failed, for people")),
                ("tries", models.PositiveSmallIntegerField(default=0, help_text="Times a worker opened or trained")),
                ("created_at", models.DateTimeField(db_default=Now())),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="archive.space",
                    ),
                ),
            ],
        ),
    ]

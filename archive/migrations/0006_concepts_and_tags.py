"""Concepts, and the tags that put them on assets."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0005_fingerprints"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Concept",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(allow_unicode=True, help_text="For addresses", max_length=100, unique=True)),
                ("name", models.CharField(max_length=80)),
                ("folded", models.CharField(editable=False, max_length=320, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[("tag", "Tag"), ("prohibited", "Prohibited")], default="tag", max_length=10
                    ),
                ),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["folded"],
            },
        ),
        migrations.CreateModel(
            name="Tag",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[("proposed", "Proposed"), ("accepted", "Accepted"), ("rejected", "Rejected")],
                        default="accepted",
                        max_length=8,
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[("person", "Somebody"), ("model", "A model"), ("file", "The file's keywords")],
                        default="person",
                        max_length=6,
                    ),
                ),
                (
                    "score",
                    models.FloatField(blank=True, help_text="How sure the model was, inside its space", null=True),
                ),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "asset",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tags",
                        to="archive.asset",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "concept",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tags",
                        to="archive.concept",
                    ),
                ),
                (
                    "space",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="Whose model it was",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="archive.space",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["concept", "state", "asset"], name="tag_of_concept")],
                "constraints": [models.UniqueConstraint(fields=("asset", "concept"), name="one_tag_a_concept")],
            },
        ),
    ]

"""Concepts that a model looks for: their words, vectors, heads and walks; and what people decided, for ever."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

# The words of an asset do not change by it, and the trigger would write those of every tagged one.
DECIDED = """
ALTER TABLE archive_tag DISABLE TRIGGER archive_tag_changed;
UPDATE archive_tag SET decided = true WHERE source = 'person' OR by_id IS NOT NULL;
ALTER TABLE archive_tag ENABLE TRIGGER archive_tag_changed;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0012_still_fingerprints"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="concept",
            name="changed_at",
            field=models.DateTimeField(auto_now=True, help_text="Its version, for whoever remembers it"),
        ),
        migrations.AddField(
            model_name="concept",
            name="negatives",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name="concept",
            name="note",
            field=models.TextField(blank=True, help_text="What it means here, for the people who judge"),
        ),
        migrations.AddField(
            model_name="concept",
            name="on_match",
            field=models.CharField(
                choices=[
                    ("nothing", "Nothing: people tag"),
                    ("propose", "Propose the tag"),
                    ("accept", "Put the tag on"),
                ],
                default="nothing",
                max_length=7,
            ),
        ),
        migrations.AddField(
            model_name="concept",
            name="parent",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="children",
                to="archive.concept",
            ),
        ),
        migrations.AddField(
            model_name="concept",
            name="prompts",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name="concept",
            name="scope",
            field=models.ManyToManyField(
                blank=True,
                help_text="Where it is looked for; empty: everywhere",
                related_name="+",
                to="archive.collection",
            ),
        ),
        migrations.AddField(
            model_name="concept",
            name="templates",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name="tag",
            name="decided",
            field=models.BooleanField(db_default=False, default=False, help_text="By a person: no model changes it"),
        ),
        migrations.CreateModel(
            name="ConceptExample",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("counter", models.BooleanField(default=False)),
                (
                    "asset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="archive.asset"
                    ),
                ),
                (
                    "concept",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="examples",
                        to="archive.concept",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("concept", "asset"), name="one_example_a_picture")],
            },
        ),
        migrations.CreateModel(
            name="ConceptHead",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.PositiveIntegerField()),
                ("in_use", models.BooleanField(default=False)),
                ("vector", models.BinaryField()),
                ("mean", models.FloatField()),
                ("spread", models.FloatField()),
                ("line", models.FloatField()),
                ("accepted", models.PositiveIntegerField()),
                ("rejected", models.PositiveIntegerField()),
                ("measured", models.JSONField(default=dict)),
                ("made_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "concept",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="heads",
                        to="archive.concept",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "space",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="archive.space"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("concept", "space", "version"), name="one_head_a_version"),
                    models.UniqueConstraint(
                        condition=models.Q(("in_use", True)), fields=("concept", "space"), name="one_head_in_use"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConceptPass",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("stopped", "Stopped"),
                        ],
                        default="waiting",
                        max_length=7,
                    ),
                ),
                ("position", models.BigIntegerField(default=0)),
                ("total", models.PositiveIntegerField(default=0, help_text="Assets, as counted when it began")),
                ("done", models.PositiveIntegerField(default=0)),
                ("found", models.PositiveIntegerField(default=0, help_text="Tags put on, proposed or changed")),
                ("made_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("touched_at", models.DateTimeField(auto_now=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("concepts", models.ManyToManyField(related_name="passes", to="archive.concept")),
                (
                    "space",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="archive.space"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ("waiting", "running"))),
                        fields=["touched_at"],
                        name="passes_to_go_on",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ConceptVector",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mark", models.CharField(max_length=64)),
                ("vector", models.BinaryField(help_text="(768,) unit length")),
                ("mean", models.FloatField()),
                ("spread", models.FloatField()),
                ("rivals", models.BinaryField(default=bytes, help_text="(k, 768): what it is mistaken for")),
                ("rival_means", models.JSONField(default=list)),
                ("rival_spreads", models.JSONField(default=list)),
                (
                    "pictures",
                    models.PositiveIntegerField(default=0, help_text="How many pictures the background was taken from"),
                ),
                ("line", models.FloatField(help_text="A score")),
                ("chosen", models.FloatField(blank=True, help_text="A score, by a person", null=True)),
                (
                    "due",
                    models.BooleanField(default=True, help_text="Changed since stored vectors were walked over"),
                ),
                ("made_at", models.DateTimeField(auto_now=True)),
                (
                    "concept",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="vectors",
                        to="archive.concept",
                    ),
                ),
                (
                    "space",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="archive.space"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("concept", "space"), name="one_vector_a_concept_and_space")
                ],
            },
        ),
        migrations.RunSQL(DECIDED, migrations.RunSQL.noop),
    ]

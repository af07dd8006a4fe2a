"""Near-duplicates: fingerprints with their Hamming index, pairs, and what people decided about them."""

import django.contrib.postgres.fields
import django.db.models.deletion
import pgvector.django.bit
import pgvector.django.indexes
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0004_adapters"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Decision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "trashed",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        default=list,
                        help_text="The assets that it put into the trash",
                        size=None,
                    ),
                ),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("undone_at", models.DateTimeField(blank=True, null=True)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Fingerprint",
            fields=[
                (
                    "asset",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="fingerprint",
                        serialize=False,
                        to="archive.asset",
                    ),
                ),
                ("pdq", pgvector.django.bit.BitField(length=256)),
                ("quality", models.PositiveSmallIntegerField(help_text="PDQ's own, 0 to 100")),
                ("spread", models.FloatField(help_text="Standard deviation of the lightness, 0 to 128")),
                ("colours", models.BinaryField(help_text="Cb and Cr of 8 x 8 cells")),
                ("compared_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    pgvector.django.indexes.HnswIndex(
                        condition=models.Q(("quality__gte", 50), ("spread__gte", 8.0)),
                        ef_construction=64,
                        fields=["pdq"],
                        m=16,
                        name="fingerprint_pdq",
                        opclasses=["bit_hamming_ops"],
                    ),
                    models.Index(
                        condition=models.Q(("compared_at__isnull", True)), fields=["asset"], name="fingerprint_new"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DuplicatePair",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("same", "Same picture"), ("burst", "Burst"), ("similar", "Similar")], max_length=7
                    ),
                ),
                (
                    "distance",
                    models.PositiveSmallIntegerField(
                        help_text="Bits of PDQ that differ, of 256; 0: same bytes", null=True
                    ),
                ),
                (
                    "closeness",
                    models.FloatField(help_text="Inner product of their vectors in the space searched then", null=True),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "To be looked at"), ("resolved", "Best kept"), ("dismissed", "To stay")],
                        default="open",
                        max_length=9,
                    ),
                ),
                ("found_at", models.DateTimeField(auto_now_add=True)),
                (
                    "decision",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="pairs",
                        to="archive.decision",
                    ),
                ),
                (
                    "high",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="archive.asset"
                    ),
                ),
                (
                    "low",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="archive.asset"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("state", "open")), fields=["kind", "-id"], name="pair_open")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("low", "high"), name="one_pair_of_two_assets"),
                    models.CheckConstraint(
                        condition=models.Q(("low__lt", models.F("high"))), name="a_pair_is_in_order"
                    ),
                ],
            },
        ),
    ]

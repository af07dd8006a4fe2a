"""Accents are nothing in words with digits either: "zurich2024" finds Zürich2024.jpg.

Words are written anew where one of them has both a digit and a letter beyond ASCII, which few have. A large archive is
used meanwhile: to find them took a second for every 100,000 assets.
"""

from typing import Any

from django.db import migrations

MAPPING = "ALTER TEXT SEARCH CONFIGURATION sightline ALTER MAPPING FOR numword, numhword, hword_numpart WITH {}"
# A tsvector's text is 'word':1A,2B and so on: nothing beyond ASCII stands outside of the quotes.
TO_WRITE = """
SELECT archive_write_words(ARRAY(
    SELECT asset_id FROM archive_words
    WHERE asset_id > %(after)s AND asset_id <= %(upto)s
      AND said::text ~ '''[^'']*([0-9][^'']*[^ -~]|[^ -~][^'']*[0-9])'
))
"""
BATCH = 10_000


def write_anew(apps: Any, schema_editor: Any) -> None:
    """A statement for each batch, so that nobody waits for long; one that broke off begins again."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(asset_id), 0) FROM archive_words")
        for after in range(0, cursor.fetchone()[0], BATCH):
            cursor.execute(TO_WRITE, {"after": after, "upto": after + BATCH})


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("archive", "0019_work_lists")]

    operations = [
        migrations.RunSQL(MAPPING.format("unaccent, simple"), MAPPING.format("simple")),
        migrations.RunPython(write_anew, migrations.RunPython.noop),
    ]

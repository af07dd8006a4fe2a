"""What is written about assets: looked up by Postgres, kept by triggers."""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models

# Postgres does not break words at a dot, a dash or a slash; people do. A text search vector holds a megabyte:
# captions are cut long before.
FORWARD = """
CREATE TEXT SEARCH CONFIGURATION sightline (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION sightline
    ALTER MAPPING FOR word, hword, hword_part, asciiword, asciihword, hword_asciipart WITH unaccent, simple;

CREATE FUNCTION archive_plain_words(said text) RETURNS tsvector LANGUAGE sql STABLE AS $$
    SELECT to_tsvector('sightline', translate(said, '._-/()[]{}+#@&=,;~:', '                   '))
$$;
-- Stands between the fields and between the tags, so that no phrase reaches from one into the next.
CREATE FUNCTION archive_between() RETURNS tsvector LANGUAGE sql STABLE AS $$
    SELECT to_tsvector('simple', 'sightlinenextfield')
$$;

CREATE FUNCTION archive_write_words(ids bigint[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO archive_words (asset_id, said)
    SELECT a.id,
        setweight(archive_plain_words(left(a.title, 2000)), 'A') || archive_between()
        || setweight(archive_plain_words(a.filename), 'A') || archive_between()
        || setweight(archive_plain_words(coalesce(named.tags, '')), 'B') || archive_between()
        || setweight(archive_plain_words(left(a.caption, 20000)), 'C') || archive_between()
        || setweight(archive_plain_words(a.place), 'D') || archive_between()
        || setweight(archive_plain_words(a.camera), 'D')
    FROM archive_asset a
    LEFT JOIN LATERAL (
        SELECT string_agg(c.name, ' sightlinenextfield ' ORDER BY c.id) AS tags
        FROM archive_tag t JOIN archive_concept c ON c.id = t.concept_id
        WHERE t.asset_id = a.id AND t.state = 'accepted'
    ) named ON true
    WHERE a.id = ANY(ids)
    ON CONFLICT (asset_id) DO UPDATE SET said = EXCLUDED.said
$$;

CREATE FUNCTION archive_asset_says() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM archive_write_words(ARRAY[NEW.id]);
    RETURN NULL;
END $$;
CREATE TRIGGER archive_asset_added AFTER INSERT ON archive_asset
    FOR EACH ROW EXECUTE FUNCTION archive_asset_says();
CREATE TRIGGER archive_asset_changed AFTER UPDATE OF title, filename, caption, place, camera ON archive_asset
    FOR EACH ROW WHEN ((OLD.title, OLD.filename, OLD.caption, OLD.place, OLD.camera)
        IS DISTINCT FROM (NEW.title, NEW.filename, NEW.caption, NEW.place, NEW.camera))
    EXECUTE FUNCTION archive_asset_says();

CREATE FUNCTION archive_tags_say() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM archive_write_words(ARRAY(SELECT DISTINCT asset_id FROM changed));
    RETURN NULL;
END $$;
CREATE TRIGGER archive_tag_added AFTER INSERT ON archive_tag REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION archive_tags_say();
CREATE TRIGGER archive_tag_changed AFTER UPDATE ON archive_tag REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION archive_tags_say();
CREATE TRIGGER archive_tag_removed AFTER DELETE ON archive_tag REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION archive_tags_say();

CREATE FUNCTION archive_concept_says() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM archive_write_words(ARRAY(SELECT asset_id FROM archive_tag WHERE concept_id = NEW.id));
    RETURN NULL;
END $$;
CREATE TRIGGER archive_concept_renamed AFTER UPDATE OF name ON archive_concept
    FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION archive_concept_says();

SELECT archive_write_words(ARRAY(SELECT id FROM archive_asset));
"""
BACKWARD = """
DROP TRIGGER archive_concept_renamed ON archive_concept;
DROP TRIGGER archive_tag_removed ON archive_tag;
DROP TRIGGER archive_tag_changed ON archive_tag;
DROP TRIGGER archive_tag_added ON archive_tag;
DROP TRIGGER archive_asset_changed ON archive_asset;
DROP TRIGGER archive_asset_added ON archive_asset;
DROP FUNCTION archive_concept_says();
DROP FUNCTION archive_tags_say();
DROP FUNCTION archive_asset_says();
DROP FUNCTION archive_write_words(bigint[]);
DROP FUNCTION archive_between();
DROP FUNCTION archive_plain_words(text);
DROP TEXT SEARCH CONFIGURATION sightline;
"""


class Migration(migrations.Migration):
    dependencies = [("archive", "0007_batches")]

    operations = [
        migrations.CreateModel(
            name="AssetWords",
            fields=[
                (
                    "asset",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="words",
                        serialize=False,
                        to="archive.asset",
                    ),
                ),
                ("said", django.contrib.postgres.search.SearchVectorField()),
            ],
            options={
                "db_table": "archive_words",
                "indexes": [django.contrib.postgres.indexes.GinIndex(fields=["said"], name="asset_words")],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]

"""A prohibited concept is no word of an asset: what people judged to show one is not found by its name.

And a dry run of a policy says by which version of its concept it counted.
"""

import django.db.models.deletion
from django.db import migrations, models

WORDS = """
CREATE OR REPLACE FUNCTION archive_write_words(ids bigint[]) RETURNS void LANGUAGE sql AS $$
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
        WHERE t.asset_id = a.id AND t.state = 'accepted'{only}
    ) named ON true
    WHERE a.id = ANY(ids)
    ON CONFLICT (asset_id) DO UPDATE SET said = EXCLUDED.said
$$;
DROP TRIGGER archive_concept_renamed ON archive_concept;
CREATE TRIGGER archive_concept_renamed AFTER UPDATE OF {of} ON archive_concept
    FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION archive_concept_says();
SELECT archive_write_words(ARRAY(
    SELECT DISTINCT t.asset_id FROM archive_tag t JOIN archive_concept c ON c.id = t.concept_id
    WHERE c.kind = 'prohibited' AND t.state = 'accepted'
));
"""
FORWARD = WORDS.format(
    only=" AND c.kind = 'tag'",
    of="name, kind",
    changed="(OLD.name, OLD.kind) IS DISTINCT FROM (NEW.name, NEW.kind)",
)
BACKWARD = WORDS.format(only="", of="name", changed="OLD.name IS DISTINCT FROM NEW.name")
# What a dry run from before judged by is not known, where it may have been a head: it is made again.
UNTOLD = """
DELETE FROM archive_check c WHERE c.dry AND EXISTS (
    SELECT FROM archive_policy p JOIN archive_concepthead h ON h.concept_id = p.concept_id
    WHERE p.id = c.policy_id AND h.space_id = c.space_id
)
"""


class Migration(migrations.Migration):
    dependencies = [("archive", "0021_batches_of_work")]

    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.AddField(
            "check",
            "head",
            models.ForeignKey(
                blank=True,
                help_text="What it judges by; nothing: the words",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="archive.concepthead",
            ),
        ),
        migrations.RunSQL(UNTOLD, migrations.RunSQL.noop),
    ]

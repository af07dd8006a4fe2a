"""An archive as curators have it: a million assets with work, tags, trash and failures, as rows without files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.backends.utils import CursorWrapper

from archive.models import Asset, Space
from archive.spaces import create_space

TABLES = ("archive_asset", "archive_work", "archive_tag")
PLACES, PEOPLE, CONCEPTS = 300, 500, 2000
ENTRIES_SHARE, BATCHES = 0.05, 2000
INDEXES = """
SELECT i.indexname, i.indexdef FROM pg_indexes i
WHERE i.tablename = %s AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conname = i.indexname)
"""
STATEMENTS = (
    """
INSERT INTO auth_user (username, password, first_name, last_name, email, is_superuser, is_staff, is_active, date_joined)
SELECT 'person-' || i, '!', '', '', '', false, false, true, now() FROM generate_series(1, %(people)s) AS i
""",
    """
INSERT INTO archive_collection (slug, name, description, visibility, owner_id, created_at)
SELECT 'place-' || i, 'Place ' || i, '', 'members', %(owner)s, now() FROM generate_series(1, %(places)s) AS i
""",
    """
INSERT INTO archive_membership (collection_id, user_id, role)
SELECT c.id, u.id, 'viewer' FROM archive_collection c
JOIN LATERAL (SELECT id FROM auth_user WHERE username LIKE 'person-%%' AND id %% 7 = c.id %% 7 LIMIT 20) u ON true
""",
    # Most lie in a few collections, and a year is long.
    """
INSERT INTO archive_asset (
    uuid, collection_id, kind, status, error, sha256, original, filename, media_type, size, width, height,
    title, caption, camera, place, exif, notes, added_at, taken_at, trashed_at
)
SELECT gen_random_uuid(), p.ids[1 + least(%(places)s - 1, floor(%(places)s * power(random(), 4))::int)],
    CASE WHEN i %% 50 = 0 THEN 'video' ELSE 'photo' END,
    CASE WHEN i %% 2000 = 0 THEN 'failed' WHEN i %% 3000 = 0 THEN 'pending' ELSE 'ready' END,
    CASE WHEN i %% 2000 = 0 THEN 'It ends too early.' ELSE '' END,
    md5(i::text) || md5((i + 1)::text), 'originals/' || md5(i::text),
    (ARRAY['harbour', 'market', 'portrait', 'mountain', 'DSC', 'IMG', 'scan'])[1 + i %% 7] || '_' || i || '.jpg',
    'image/jpeg', 1000000 + i %% 4000000, 4000, 3000,
    CASE WHEN i %% 3 = 0 THEN 'Sheet ' || i ELSE '' END, '', 'Canon EOS R6', '',
    jsonb_build_object('Model', 'Canon EOS R6', 'Lens', repeat('x', 300)), '[]',
    now() - (i * interval '1 minute'), CASE WHEN i %% 4 <> 0 THEN now() - (i * interval '7 minutes') END,
    CASE WHEN i %% 400 = 0 THEN now() - (i %% 20 * interval '1 day') END
FROM generate_series(1, %(rows)s) AS i,
    (SELECT array_agg(id ORDER BY id) AS ids FROM archive_collection WHERE slug LIKE 'place-%%') p
""",
    """
INSERT INTO archive_work (
    asset_id, step, target, state, priority, attempts, last_error, worker, not_before, created_at, done_at
)
SELECT a.id, s.step, s.target,
    CASE WHEN a.status = 'failed' AND s.step = 'prepare' THEN 'quarantined' WHEN a.id %% 97 = 0 THEN 'ready'
        ELSE 'done' END, 10, 1,
    CASE WHEN a.status = 'failed' AND s.step = 'prepare' THEN 'This JPEG ends too early.' ELSE '' END, '',
    now(), a.added_at, a.added_at
FROM archive_asset a CROSS JOIN (VALUES ('prepare', ''), ('encode', 'synthetic')) AS s(step, target)
""",
    """
INSERT INTO archive_concept (slug, name, folded, kind, on_match, prompts, templates, negatives, note, created_at,
    changed_at)
SELECT 'tag-' || i, 'tag ' || i, 'tag ' || i, 'tag', 'nothing', '[]', '[]', '[]', '', now(), now()
FROM generate_series(1, %(concepts)s) AS i
""",
    # Some tags are on very many, most on few.
    """
INSERT INTO archive_tag (asset_id, concept_id, state, source, by_id, at)
SELECT a.id, c.ids[1 + least(%(concepts)s - 1, floor(%(concepts)s * power(random(), 3))::int)],
    CASE WHEN a.id %% 53 = 0 THEN 'proposed' WHEN a.id %% 59 = 0 THEN 'rejected' ELSE 'accepted' END,
    CASE WHEN a.id %% 3 = 0 THEN 'person' ELSE 'model' END,
    CASE WHEN a.id %% 3 = 0 THEN %(owner)s END, now() - (a.id %% 500000 * interval '1 minute')
FROM archive_asset a, (SELECT array_agg(id) AS ids FROM archive_concept) c
""",
    """
INSERT INTO archive_batch (uuid, owner_id, action, arguments, what, params, state, total, done, skipped, undone, kept,
    size, error, created_at, touched_at)
SELECT gen_random_uuid(), %(owner)s, 'tag', '{"tags": ["tag 1"]}', 'Everything', '{}', 'done', 1, 1, 0, 0, 0, 0, '',
    now() - (i * interval '1 hour'), now()
FROM generate_series(1, %(batches)s) AS i
""",
    """
INSERT INTO django_admin_log (action_time, object_id, object_repr, action_flag, change_message, content_type_id,
    user_id)
SELECT now() - (a.id * interval '1 minute'), a.id::text, a.filename, 2, 'Put on “sea”.', %(type)s, %(owner)s
FROM archive_asset a LIMIT %(entries)s
""",
)


@dataclass(frozen=True)
class Curation:
    """Who looks: one who runs the archive, and one who curates a part of it."""

    superuser: User
    curator: User
    space: Space


def make_curation(rows: int) -> Curation:
    """Indexes are built when the rows are there: ten times quicker than row by row.

    No space is searched: finding by meaning is for `benchmark search`, and words are looked for in names.
    """
    superuser = User.objects.create_superuser("alice")
    curator = User.objects.create_user("carol", is_staff=True)
    space = create_space(Space(slug="synthetic", model="fake", fingerprint="synthetic"))
    words = {
        **{"rows": rows, "owner": superuser.pk, "people": PEOPLE, "places": PLACES, "concepts": CONCEPTS},
        **{"batches": BATCHES, "entries": round(rows * ENTRIES_SHARE)},
        "type": ContentType.objects.get_for_model(Asset).pk,
    }
    with connection.cursor() as cursor, _without_indexes(cursor):
        for statement in STATEMENTS:
            cursor.execute(statement, words)
        cursor.execute(
            "INSERT INTO archive_membership (collection_id, user_id, role) "
            "SELECT id, %s, 'curator' FROM archive_collection WHERE slug IN ('place-3', 'place-50', 'place-299')",
            [curator.pk],
        )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return Curation(superuser, curator, space)


@contextmanager
def _without_indexes(cursor: CursorWrapper) -> Iterator[None]:
    """Neither the triggers that keep the words of assets: nobody looks for words here."""
    definitions = []
    for table in TABLES:
        cursor.execute(INDEXES, [table])
        for name, definition in cursor.fetchall():
            definitions.append(re.sub(r"\bINDEX ", "INDEX IF NOT EXISTS ", definition, count=1))
            cursor.execute(f"DROP INDEX {connection.ops.quote_name(name)}")
        if table != "archive_work":
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    cursor.execute("SET maintenance_work_mem = '512MB'")
    for definition in definitions:
        cursor.execute(definition)
    cursor.execute("RESET maintenance_work_mem")

"""The rows of an archive as curators have it, a statement each, in the order in which they are made."""

STATEMENTS = (
    """
INSERT INTO auth_user (username, password, first_name, last_name, email, is_superuser, is_staff, is_active, date_joined)
SELECT 'person-' || i, '!', '', '', '', false, false, true, now() FROM generate_series(1, %(people)s) AS i
""",
    """
INSERT INTO archive_collection (slug, name, description, visibility, owner_id, created_at)
SELECT 'place-' || i, 'Place ' || i, '', 'members', %(owner)s, now() FROM generate_series(1, %(places)s) AS i
UNION ALL SELECT 'old', 'Old', '', 'members', %(owner)s, now()
""",
    """
INSERT INTO archive_membership (collection_id, user_id, role)
SELECT c.id, u.id, 'viewer' FROM archive_collection c
JOIN LATERAL (SELECT id FROM auth_user WHERE username LIKE 'person-%%' AND id %% 7 = c.id %% 7 LIMIT 20) u ON true
WHERE c.slug <> 'old'
""",
    # Most lie in a few collections, and a year is long. The oldest ones lie in a place of their own.
    """
INSERT INTO archive_asset (
    uuid, collection_id, kind, status, error, sha256, original, filename, media_type, size, width, height,
    title, caption, camera, place, exif, notes, added_at, taken_at, trashed_at
)
SELECT gen_random_uuid(),
    CASE WHEN i > %(rows)s - %(old)s THEN (SELECT id FROM archive_collection WHERE slug = 'old')
        ELSE p.ids[1 + least(%(places)s - 1, floor(%(places)s * power(random(), 4))::int)] END,
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
    # A second space is half filled, and goes on being so.
    """
INSERT INTO archive_work (asset_id, step, target, state, priority, attempts, not_before, created_at, done_at)
SELECT a.id, 'encode', 'filling', CASE WHEN a.id %% 2 = 0 THEN 'ready' ELSE 'done' END, 20, a.id %% 2,
    now(), now() - interval '1 day', CASE WHEN a.id %% 2 = 1 THEN now() - (a.id %% 36000 * interval '1 second') END
FROM archive_asset a
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
    """
INSERT INTO archive_duplicatepair (low_id, high_id, kind, distance, state, found_at)
SELECT a.id, a.id + 1, (ARRAY['same', 'burst', 'similar'])[1 + a.id %% 3], 2, 'open', now()
FROM archive_asset a WHERE a.id %% 10 = 0 AND EXISTS (SELECT FROM archive_asset b WHERE b.id = a.id + 1)
""",
    """
INSERT INTO archive_concept (slug, name, folded, kind, on_match, prompts, templates, negatives, note, created_at,
    changed_at)
SELECT 'prohibited-' || i, 'prohibited ' || i, 'prohibited ' || i, 'prohibited', 'nothing', '[]', '[]', '[]', '',
    now(), now()
FROM generate_series(1, 5) AS i
""",
    """
INSERT INTO archive_flag (asset_id, concept_id, state, hides, score, moments, version, raised_at, decided_at)
SELECT a.id, c.ids[1 + a.id %% 5], s.state, a.id %% 1000 = 0, 3, '[]', 1, now(),
    CASE WHEN s.state <> 'open' THEN now() END
FROM archive_asset a, (SELECT array_agg(id) AS ids FROM archive_concept WHERE kind = 'prohibited') c,
    LATERAL (SELECT (ARRAY['open', 'dismissed', 'upheld'])[1 + a.id / 25 %% 3] AS state) s
WHERE a.id %% 25 = 0
""",
    """
UPDATE archive_asset a SET quarantined = true FROM archive_flag f
WHERE f.asset_id = a.id AND (f.state = 'upheld' OR f.state = 'open' AND f.hides)
""",
    """
INSERT INTO archive_moderationlog (at, event, person_id, person, concept, flag_id, asset, filename, collection_id,
    collection, space, before, after, reason)
SELECT f.raised_at, e.event, e.person, '', 'prohibited', f.id, a.uuid, a.filename, a.collection_id, '', '', '',
    f.state, ''
FROM archive_flag f JOIN archive_asset a ON a.id = f.asset_id
CROSS JOIN (VALUES ('raised', NULL), ('dismissed', %(owner)s)) AS e(event, person)
""",
)

"""Tags by scores: put on, proposed or taken back by a model, never against what a person decided."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from django.db import connection

from archive.concepts.scoring import Scores, best_by_asset, there
from archive.concepts.vectors import ConceptVectors
from archive.models import Concept, ConceptKind, OnMatch, Space, TagState
from archive.vectors import Rows

STATES = {OnMatch.PROPOSE: TagState.PROPOSED, OnMatch.ACCEPT: TagState.ACCEPTED}

# Whoever changes tags holds their assets first (archive.tags), in the order of ids.
HOLD = "SELECT id, collection_id FROM archive_asset WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
PUT_ON = """
INSERT INTO archive_tag AS t (asset_id, concept_id, state, source, space_id, score, at, decided)
SELECT asset, concept, state, 'model', %(space)s, score, now(), false
FROM unnest(%(assets)s::bigint[], %(concepts)s::bigint[], %(states)s::text[], %(scores)s::float8[])
    AS given(asset, concept, state, score)
ORDER BY asset, concept
ON CONFLICT (asset_id, concept_id) DO UPDATE
SET state = EXCLUDED.state, space_id = EXCLUDED.space_id, at = now(),
    score = CASE WHEN %(whole)s OR t.space_id IS DISTINCT FROM EXCLUDED.space_id
                 THEN EXCLUDED.score ELSE greatest(t.score, EXCLUDED.score) END
WHERE t.source = 'model' AND NOT t.decided AND (
    t.state <> EXCLUDED.state OR t.space_id IS DISTINCT FROM EXCLUDED.space_id
    OR (t.score < EXCLUDED.score OR %(whole)s) AND abs(t.score - EXCLUDED.score) > 0.001)
"""
TAKE_BACK = """
DELETE FROM archive_tag WHERE source = 'model' AND NOT decided AND asset_id = ANY(%(all)s) AND concept_id = ANY(%(of)s)
AND (asset_id, concept_id) NOT IN (SELECT * FROM unnest(%(assets)s::bigint[], %(concepts)s::bigint[]))
RETURNING asset_id
"""


def tag_by_scores(space: Space, rows: Rows, concepts: ConceptVectors, scores: Scores, whole: bool) -> int:
    """Tag the assets in which a concept reaches its threshold, as its `on_match` says; of whole assets also take back
    what an earlier score had put on. Returns how many tags changed."""
    wanted = _wanted(concepts.ids)
    columns = [place for place, pk in enumerate(concepts.ids) if pk in wanted]
    if not columns:
        return 0
    best = best_by_asset(rows, scores[:, columns])
    reached = there(best.scores, concepts.thresholds[columns])
    assets, which = np.nonzero(reached)
    ids = np.asarray(best.assets, dtype=np.int64)
    with connection.cursor() as cursor:
        touched = best.assets if whole else np.unique(ids[assets]).tolist()
        cursor.execute(HOLD, [touched])
        homes: dict[int, int] = dict(cursor.fetchall())
        found = [
            (int(ids[a]), concept.pk, STATES[OnMatch(concept.on_match)], float(best.scores[a, c]))
            for a, c in zip(assets, which, strict=True)
            if _looks_there(concept := wanted[concepts.ids[columns[c]]], homes.get(int(ids[a])))
        ]
        given = dict(zip(("assets", "concepts", "states", "scores"), _columns(found), strict=True))
        cursor.execute(PUT_ON, {**given, "space": space.pk, "whole": whole})
        changed = int(cursor.rowcount)
        if whole:
            of = [concepts.ids[place] for place in columns]
            cursor.execute(TAKE_BACK, {**given, "all": touched, "of": of})
            changed += int(cursor.rowcount)
    return changed


def _wanted(ids: Sequence[int]) -> dict[int, Concept]:
    """Those that a model may tag with; what is prohibited is not for tagging."""
    acting = Concept.objects.filter(pk__in=ids, kind=ConceptKind.TAG, on_match__in=STATES)
    return {concept.pk: concept for concept in acting.prefetch_related("scope")}


def _looks_there(concept: Concept, collection: int | None) -> bool:
    """`collection` is None for an asset that was deleted meanwhile."""
    scope = concept.scope.all()
    return collection is not None and (not scope or any(one.pk == collection for one in scope))


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]

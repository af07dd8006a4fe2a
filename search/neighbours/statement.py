"""The statement, in its shapes. What decides between them is next door."""

from __future__ import annotations

from archive.models import Space
from archive.spaces import partition

STATEMENT = """
WITH candidate (id) AS NOT MATERIALIZED ({candidates}),
{ways},
best AS (
    SELECT DISTINCT ON (asset_id) asset_id, frame_id, distance
    FROM ({found}) AS found
    ORDER BY asset_id, distance
)
SELECT asset_id, frame_id, distance, {plan} FROM best ORDER BY distance, asset_id LIMIT %(limit)s
"""
GATE = """
gate AS MATERIALIZED (
    SELECT count(*) AS matching FROM (SELECT 1 FROM candidate LIMIT %(threshold)s + 1) AS few
)"""
# As a sorted array the candidates' vectors are read in the order of the index: half the time that a join takes.
EXACT = """
exact AS (
    SELECT e.asset_id, e.frame_id, (e.vector <#> %(vector)s::halfvec) + 0 AS distance
    FROM {partition} e
    WHERE e.asset_id = ANY(ARRAY(SELECT id FROM candidate ORDER BY id)) AND {few}
)"""
# Each row that the index gives is asked whether it is a candidate, one by one: as a join, the planner would rather sort
# all candidates by their distance as soon as more than a page of rows is wanted.
NEAR = """
near AS MATERIALIZED (
    SELECT asset_id, frame_id, distance FROM (
        SELECT e.asset_id, e.frame_id, (e.vector <#> %(vector)s::halfvec) + 0 AS distance
        FROM {partition} e WHERE e.representative ORDER BY e.vector <#> %(vector)s::halfvec
    ) AS scanned
    WHERE (SELECT true FROM candidate WHERE candidate.id = scanned.asset_id) AND {many}
    LIMIT %(fetch)s
),
{rescored}"""
ONE_FRAME_EACH = "rescored AS (SELECT * FROM near)"
# Of long videos, reading all frames of everything that comes near would take longer than anybody waits: only the
# nearest are scored by their best frame, and what lies far down by what stands for its shots.
RESCORED = """
nearest AS MATERIALIZED (
    SELECT asset_id FROM near GROUP BY asset_id ORDER BY min(distance) LIMIT %(rescored)s
),
rescored AS (
    SELECT e.asset_id, e.frame_id, (e.vector <#> %(vector)s::halfvec) + 0 AS distance
    FROM {partition} e WHERE e.asset_id = ANY(ARRAY(SELECT asset_id FROM nearest ORDER BY asset_id))
    UNION ALL
    SELECT asset_id, frame_id, distance FROM near
)"""
# Every candidate by what stands for its shots, without the index.
SHOTS = """
near AS MATERIALIZED (
    SELECT DISTINCT ON (asset_id) asset_id, frame_id, distance FROM (
        SELECT e.asset_id, e.frame_id, (e.vector <#> %(vector)s::halfvec) + 0 AS distance
        FROM {partition} e
        WHERE e.representative AND e.asset_id = ANY(ARRAY(SELECT id FROM candidate ORDER BY id))
    ) AS shot
    ORDER BY asset_id, distance
),
{rescored}"""
# How many candidates have vectors, up to a limit: as many as there are to be found.
HELD_OF = """
SELECT count(*) FROM (
    SELECT FROM ({candidates}) AS candidate (id)
    WHERE EXISTS (SELECT FROM {partition} e WHERE e.asset_id = candidate.id) LIMIT %(limit)s
) AS few
"""
# Counted: both ways stand in it, and the gate opens one. The other two are for whoever knows already.
SHAPES = {
    "exact": {
        "ways": EXACT,
        "few": "true",
        "found": "SELECT * FROM exact",
        "plan": "'exact'",
    },
    "hnsw": {
        "ways": NEAR,
        "many": "true",
        "found": "SELECT * FROM rescored",
        "plan": "'hnsw'",
    },
    "shots": {
        "ways": SHOTS,
        "found": "SELECT * FROM rescored",
        "plan": "'shots'",
    },
    "counted": {
        "ways": ",".join((GATE, EXACT, NEAR)),
        "few": "(SELECT matching FROM gate) <= %(threshold)s",
        "many": "(SELECT matching FROM gate) > %(threshold)s",
        "found": "SELECT * FROM exact UNION ALL SELECT * FROM rescored",
        "plan": "(SELECT CASE WHEN matching > %(threshold)s THEN 'hnsw' ELSE 'exact' END FROM gate)",
    },
}


def compile_statement(space: Space, candidates: str, shape: str, *, videos: bool = False) -> str:
    """`shape`: one of SHAPES; `videos`: the space has assets with many frames."""
    words = SHAPES[shape]
    rescored = RESCORED.format(partition=partition(space)) if videos else ONE_FRAME_EACH
    ways = words["ways"].format(
        partition=partition(space), few=words.get("few"), many=words.get("many"), rescored=rescored
    )
    return STATEMENT.format(candidates=candidates, ways=ways, found=words["found"], plan=words["plan"])


def compile_held(space: Space, candidates: str) -> str:
    return HELD_OF.format(candidates=candidates, partition=partition(space))

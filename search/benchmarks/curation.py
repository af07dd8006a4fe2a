"""An archive as curators have it: a million assets with work, tags, flags and trash, as rows without files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.backends.utils import CursorWrapper

from archive.models import Asset, Space, SpaceState
from archive.spaces import activate, build_index, create_space
from search.benchmarks.curation_rows import STATEMENTS
from search.benchmarks.synthetic import clustered, copy_vectors

TABLES = ("archive_asset", "archive_work", "archive_tag", "archive_flag", "archive_duplicatepair")
PLACES, PEOPLE, CONCEPTS, OLD = 300, 500, 2000, 60
ENTRIES_SHARE, BATCHES = 0.05, 2000
# Who curates what, by the slugs of collections.
CURATORS = {"carol": "^place-(3|50|299)$", "dave": "^place-", "erin": "^old$"}
CURATE = """
INSERT INTO archive_membership (collection_id, user_id, role)
SELECT id, %s, 'curator' FROM archive_collection WHERE slug ~ %s
"""
ONE_IN = 10  # has a vector
FRAMES = """
INSERT INTO archive_frame (asset_id, at, representative, still)
SELECT id, 0, true, '' FROM archive_asset WHERE id %% %s = 0 RETURNING id, asset_id
"""
INDEXES = """
SELECT i.indexname, i.indexdef FROM pg_indexes i
WHERE i.tablename = %s AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conname = i.indexname)
"""


@dataclass(frozen=True)
class Curation:
    """`people`: who looks, by what stands behind the names of their pages."""

    people: dict[str, User]
    space: Space


def make_curation(rows: int) -> Curation:
    """Indexes are built when the rows are there: ten times quicker than row by row. Nothing is searched by meaning."""
    superuser = User.objects.create_superuser("alice")
    curators = {name: User.objects.create_user(name, is_staff=True) for name in CURATORS}
    space = create_space(Space(slug="synthetic", model="fake", fingerprint="synthetic"))
    Space.objects.update(state=SpaceState.READY)  # only one is filled at a time
    create_space(Space(slug="filling", model="fake", fingerprint="filling"))
    words = {
        **{"rows": rows, "owner": superuser.pk, "people": PEOPLE, "places": PLACES, "concepts": CONCEPTS, "old": OLD},
        **{"batches": BATCHES, "entries": round(rows * ENTRIES_SHARE)},
        "type": ContentType.objects.get_for_model(Asset).pk,
    }
    with connection.cursor() as cursor, _without_indexes(cursor):
        for statement in STATEMENTS:
            cursor.execute(statement, words)
        for name, slugs in CURATORS.items():
            cursor.execute(CURATE, [curators[name].pk, slugs])
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    people = {
        "": superuser,
        ", who curates a part": curators["carol"],
        ", who curates all": curators["dave"],
        ", who curates a few": curators["erin"],
    }
    return Curation(people, space)


def make_searchable(made: Curation) -> int:
    """Vectors for some of the assets, in a space that is searched from now on; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(FRAMES, [ONE_IN])
        frames = np.array(cursor.fetchall())
        copy_vectors(cursor, made.space, frames, clustered(len(frames)))
        cursor.execute("VACUUM ANALYZE archive_frame, archive_embedding")
    build_index(made.space)
    activate(made.space, even_if_partial=True)
    return len(frames)


@contextmanager
def _without_indexes(cursor: CursorWrapper) -> Iterator[None]:
    """Neither the triggers that keep the words of assets: nobody looks for words here."""
    definitions = []
    for table in TABLES:
        cursor.execute(INDEXES, [table])
        for name, definition in cursor.fetchall():
            definitions.append(re.sub(r"\bINDEX ", "INDEX IF NOT EXISTS ", definition, count=1))
            cursor.execute(f"DROP INDEX {connection.ops.quote_name(name)}")
        if table in ("archive_asset", "archive_tag"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    cursor.execute("SET maintenance_work_mem = '512MB'")
    for definition in definitions:
        cursor.execute(definition)
    cursor.execute("RESET maintenance_work_mem")

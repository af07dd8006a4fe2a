"""Watching: every new vector of the searched space is compared with every watched concept, before anybody sees it."""

from __future__ import annotations

import threading

from django.db import connection

from archive.concepts.heeding import heed
from archive.concepts.vectors import ConceptVectors, find_concept_vectors
from archive.models import Concept, Space, SpaceState
from archive.vectors import Rows

# Another one whenever a concept, its vector or its head did: one small statement a batch.
VERSION = """
SELECT (SELECT md5(string_agg(id || ' ' || changed_at, ',' ORDER BY id)) FROM archive_concept
        WHERE on_match <> 'nothing' OR kind = 'prohibited'),
       (SELECT md5(string_agg(concept_id || ' ' || made_at, ',' ORDER BY concept_id)) FROM archive_conceptvector
        WHERE space_id = %(space)s),
       (SELECT md5(string_agg(id || ' ' || line, ',' ORDER BY id)) FROM archive_concepthead
        WHERE space_id = %(space)s AND in_use),
       (SELECT state FROM archive_space WHERE id = %(space)s)
"""
Version = tuple[str | None, ...]

_kept: dict[int, tuple[Version, ConceptVectors]] = {}  # by space
_lock = threading.Lock()


def watch_concepts(space: Space, rows: Rows) -> None:
    """What is written to other spaces is walked over once they are searched."""
    version = _version(space)
    if version[-1] == SpaceState.ACTIVE:  # as it is now: whoever stores read the space some seconds ago
        heed(space, rows, _watched_vectors(space, version), whole=False)


def _watched_vectors(space: Space, version: Version) -> ConceptVectors:
    """Of all watched concepts; remembered by this process as long as nothing about them changes."""
    with _lock:
        found = _kept.get(space.pk)
    if found is None or found[0] != version:
        found = (version, find_concept_vectors(space, Concept.objects.watched()))
        with _lock:
            _kept[space.pk] = found
    return found[1]


def _version(space: Space) -> Version:
    with connection.cursor() as cursor:
        cursor.execute(VERSION, {"space": space.pk})
        return tuple(cursor.fetchone() or ())

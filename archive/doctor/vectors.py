"""Has every frame its vector in each space that may be searched, and every vector its frame?"""

from __future__ import annotations

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from archive.doctor.findings import Finding, fine, wrong
from archive.models import Asset, Embedding, Frame, Space, SpaceState, Step, Work, WorkState
from archive.spaces import (
    IndexBeingBuilt,
    backfill,
    build_index,
    clear_away,
    count_rows,
    coverage,
    index_state,
    is_large,
    is_left_over,
)

MISSING, STRAY, INDEX, RETIRED = "vectors", "stray vectors", "index", "retired spaces"
NO_SPACE = "No space is searched. Run `manage.py space create --shipped`, or activate one."

STRAYS = """
FROM archive_embedding e
WHERE NOT EXISTS (SELECT 1 FROM archive_frame f WHERE f.id = e.frame_id AND f.asset_id = e.asset_id)
"""


def look_for_missing() -> Finding:
    """In the searched space, and in those that are kept for a roll-back; one that is being filled may lack some."""
    spaces = kept_spaces()
    if not any(space.state == SpaceState.ACTIVE for space in spaces):
        return wrong(MISSING, 0, NO_SPACE)
    names = ", ".join(space.slug for space in spaces)
    lacking = {space.slug: _lacking(space) for space in spaces}
    counts = {slug: found.count() for slug, found in lacking.items()}
    if not any(counts.values()):
        return fine(MISSING, f"Every frame has its vector in {names}, or its work is under way.{_being_filled()}")
    said = ", ".join(f"{count} in {slug}" for slug, count in counts.items() if count)
    sentence = f"Assets without a vector and without work for it: {said}. `doctor --repair` adds the work."
    examples = [uuid for found in lacking.values() for uuid in found.values_list("uuid", flat=True)[:5]]
    return wrong(MISSING, sum(counts.values()), sentence, examples)


def add_missing() -> int:
    return sum(backfill(space) for space in kept_spaces())


def kept_spaces() -> list[Space]:
    """Those that must be whole: the searched one first, then the ones that it can be switched to."""
    found = Space.objects.filter(state__in=(SpaceState.ACTIVE, SpaceState.READY)).slim()
    return sorted(found, key=lambda space: (space.state != SpaceState.ACTIVE, space.slug))


def _being_filled() -> str:
    space = Space.objects.filter(state=SpaceState.BUILDING).slim().first()
    if space is None:
        return ""
    told = coverage(space)
    return f" {space.slug} is being filled: {told.done} of {told.total}."


def _lacking(space: Space) -> QuerySet[Asset]:
    """Assets with a frame that has no vector, and no work that will make one or was given up."""
    embedded = Embedding.objects.filter(space_id=space.pk, frame_id=OuterRef("pk"))
    bare = Frame.objects.filter(~Exists(embedded), asset=OuterRef("pk"))
    open_work = Work.objects.filter(asset=OuterRef("pk")).exclude(state=WorkState.DONE)
    known = open_work.filter(step=Step.PREPARE) | open_work.filter(step=Step.ENCODE, target=space.slug)
    return Asset.objects.filter(Exists(bare), ~Exists(known)).order_by()


def look_for_strays() -> Finding:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) {STRAYS}")
        (count,) = cursor.fetchone() or (0,)
    if not count:
        return fine(STRAY, "Every vector belongs to a frame.")
    return wrong(STRAY, count, f"{count} vectors belong to no frame. `doctor --repair` removes them.")


def remove_strays() -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE {STRAYS}")
        return int(cursor.rowcount)


def look_at_index() -> Finding:
    spaces = kept_spaces()
    if not any(space.state == SpaceState.ACTIVE for space in spaces):
        return wrong(INDEX, 0, NO_SPACE)
    without = [space for space in spaces if not index_state(space).valid]
    bad = [space for space in without if is_large(space)]
    if bad:
        said = ", ".join(f"{space.slug} holds {count_rows(space)} vectors" for space in bad)
        sentence = f"{said} and has no valid index, so searches are slow. `doctor --repair` builds it."
        return wrong(INDEX, len(bad), sentence)
    said = " ".join(
        f"{space.slug} holds {count_rows(space)} vectors: so few are searched exactly, without an index."
        if space in without
        else f"The index of {space.slug} is valid."
        for space in spaces
    )
    return fine(INDEX, said)


def rebuild_index() -> int:
    return sum(_built(space) for space in kept_spaces())


def _built(space: Space) -> bool:
    if index_state(space).valid:
        return False
    try:
        return build_index(space)
    except IndexBeingBuilt:
        return True  # under way


def look_for_left_over() -> Finding:
    """A space is retired in one moment; its tables go when nobody reads them."""
    left = [space.slug for space in _retired() if is_left_over(space)]
    if not left:
        return fine(RETIRED, "Retired spaces hold nothing any more.")
    sentence = f"{len(left)} retired spaces still hold vectors or work. `doctor --repair` removes them."
    return wrong(RETIRED, len(left), sentence, left)


def clear_left_over() -> int:
    return sum(clear_away(space) for space in _retired() if is_left_over(space))


def _retired() -> QuerySet[Space]:
    return Space.objects.filter(state=SpaceState.RETIRED).slim()

"""Has every frame its vector in the searched space, and every vector its frame?"""

from __future__ import annotations

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from archive import dispatch
from archive.doctor.findings import Finding, fine, wrong
from archive.models import Asset, Embedding, Frame, Space, Step, Work, WorkState
from archive.models.work import Priority
from archive.spaces import build_index, count_rows, index_state
from archive.work import add_encode_work, retry

MISSING, STRAY, INDEX = "vectors", "stray vectors", "index"
NO_SPACE = "No space is searched. Run `manage.py space create --shipped`, or activate one."

STRAYS = """
FROM archive_embedding e
WHERE NOT EXISTS (SELECT 1 FROM archive_frame f WHERE f.id = e.frame_id AND f.asset_id = e.asset_id)
"""


def look_for_missing() -> Finding:
    space = Space.objects.active()
    if space is None:
        return wrong(MISSING, 0, NO_SPACE)
    lacking = _lacking(space)
    count = lacking.count()
    if not count:
        return fine(MISSING, f"Every frame has its vector in {space.slug}, or its work is under way.")
    sentence = f"{count} assets have no vector in {space.slug} and no work for it. `doctor --repair` adds the work."
    return wrong(MISSING, count, sentence, lacking.values_list("uuid", flat=True)[:5])


def add_missing() -> int:
    space = Space.objects.active()
    if space is None:
        return 0
    chosen = list(_lacking(space).values_list("pk", flat=True))
    add_encode_work(Asset.objects.filter(pk__in=chosen), space, Priority.BACKFILL)
    retry(Work.objects.filter(asset__in=chosen, step=Step.ENCODE, target=space.slug, state=WorkState.DONE))
    dispatch.ring_on_commit(Step.ENCODE)
    return len(chosen)


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
    space = Space.objects.active()
    if space is None:
        return wrong(INDEX, 0, NO_SPACE)
    if index_state(space).valid:
        return fine(INDEX, f"The index of {space.slug} is valid.")
    rows = count_rows(space)
    if rows < settings.SIGHTLINE_INDEX_FROM:
        return fine(INDEX, f"{space.slug} holds {rows} vectors: so few are searched exactly, without an index.")
    sentence = f"{space.slug} holds {rows} vectors and has no valid index, so searches are slow. "
    return wrong(INDEX, 1, f"{sentence}`doctor --repair` builds it.")


def rebuild_index() -> int:
    space = Space.objects.active()
    return int(space is not None and build_index(space))

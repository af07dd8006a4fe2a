"""How much there is here, and what of it takes how much. Where there is too little to see, what was seen elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum

from archive.models import Asset, Frame, Kind, Rendition, Space, Status
from archive.plan.arithmetic import Sizes, Volume
from archive.spaces.index import index_name
from archive.spaces.partitions import partition
from archive.spaces.progress import counted

# As seen with a million rows of halfvec(768) and HNSW (m 16): five rows fill a page of 8 KB, and two plain indexes
# take 70 bytes. Renditions and stills as seen with the sample.
ELSEWHERE = Sizes(row=1710.0, node=2050.0, photo=350_000.0, hour=40e6, still=25_000.0, shots_a_minute=6.0)
# Of fewer rows the half-filled pages would be measured.
ENOUGH_ROWS = 5000
ENOUGH_SECONDS = 60.0
# A mean of the newest so many is close enough, and takes no longer in a large archive.
PHOTOS, VIDEOS, STILLS = 500, 100, 12
TABLE = """
SELECT pg_table_size(p.oid) + pg_indexes_size(p.oid), coalesce(pg_relation_size(i.oid), 0),
       coalesce(i.reltuples, 0)::bigint
FROM pg_class p LEFT JOIN pg_class i ON i.oid = to_regclass(%(index)s)
WHERE p.oid = to_regclass(%(partition)s)
"""


@dataclass(frozen=True)
class Seen:
    """`assumed`: those of `Sizes` that are not of this archive."""

    assets: int
    videos: int
    volume: Volume
    sizes: Sizes
    assumed: frozenset[str]


def look_around(assets: QuerySet[Asset], space: Space | None) -> Seen:
    """Of these assets, and of the vectors of a space, whoever they are of."""
    counts = assets.order_by().aggregate(
        photos=Count("pk", filter=Q(kind=Kind.PHOTO)),
        videos=Count("pk", filter=Q(kind=Kind.VIDEO)),
        seconds=Sum("duration", filter=Q(kind=Kind.VIDEO)),
    )
    films = _of_videos(assets)
    measured = {**films, **_of_photos(assets), **(_of_vectors(space) if space else {})}
    fps = measured.pop("fps", settings.SIGHTLINE_FRAMES_PER_SECOND)
    sizes = {name: measured.get(name, value) for name, value in vars(ELSEWHERE).items()}
    return Seen(
        assets=counts["photos"] + counts["videos"],
        videos=counts["videos"],
        volume=Volume(counts["photos"], (counts["seconds"] or 0.0) / 3600, fps),
        sizes=Sizes(**sizes),
        assumed=frozenset(sizes) - frozenset(measured),
    )


def _of_photos(assets: QuerySet[Asset]) -> dict[str, float]:
    chosen = _newest(assets, Kind.PHOTO, PHOTOS)
    if not chosen:
        return {}
    (size,) = Rendition.objects.filter(asset__in=chosen).aggregate(size=Sum("size")).values()
    return {"photo": size / len(chosen)} if size else {}


def _of_videos(assets: QuerySet[Asset]) -> dict[str, float]:
    """Shots a minute, frames a second, bytes of an hour and of a still."""
    chosen = _newest(assets.filter(duration__gt=0), Kind.VIDEO, VIDEOS)
    (seconds,) = Asset.objects.filter(pk__in=chosen).aggregate(seconds=Sum("duration")).values()
    if not seconds or seconds < ENOUGH_SECONDS:
        return {}
    frames = Frame.objects.filter(asset__in=chosen)
    shots = frames.filter(representative=True)
    found = {"shots_a_minute": shots.count() * 60 / seconds, "fps": frames.count() / seconds}
    (size,) = Rendition.objects.filter(asset__in=chosen).aggregate(size=Sum("size")).values()
    if size:
        found["hour"] = size * 3600 / seconds
    stills = list(_lengths(shots.exclude(still="").values_list("still", flat=True)[:STILLS]))
    if stills:
        found["still"] = sum(stills) / len(stills)
    return found


def _of_vectors(space: Space) -> dict[str, float]:
    rows = counted(space).rows
    with connection.cursor() as cursor:
        cursor.execute(TABLE, {"index": index_name(space), "partition": partition(space)})
        size, index, indexed = cursor.fetchone() or (0, 0, 0)
    found = {}
    if rows >= ENOUGH_ROWS:
        found["row"] = (size - index) / rows
    if indexed >= ENOUGH_ROWS:
        found["node"] = index / indexed
    return found


def _newest(assets: QuerySet[Asset], kind: Kind, most: int) -> list[int]:
    ready = assets.filter(kind=kind, status=Status.READY).order_by("-added_at", "-id")
    return list(ready.values_list("pk", flat=True)[:most])


def _lengths(keys: Iterable[str]) -> Iterable[int]:
    for key in keys:
        try:
            yield default_storage.size(key)
        except OSError:
            continue

"""Is everything there that was made of the originals?"""

from __future__ import annotations

from collections.abc import Iterator

from django.core.files.storage import default_storage
from django.db.models import Count, Q, QuerySet

from archive.decoder.specs import ALL_SPECS, POSTER_SPECS
from archive.doctor.findings import Finding, fine, wrong
from archive.models import Asset, Frame, Kind, Rendition, Step, Work, WorkState
from archive.storage import StoreAway, store_is_there
from archive.work import retry

NAME = "renditions"


def look() -> Finding:
    """Of prepared assets only: what waits to be prepared has none yet, and will."""
    if not store_is_there() and Asset.objects.exists():
        return wrong(NAME, 1, str(StoreAway()))
    lacking = sorted(_lacking())
    if not lacking:
        return fine(NAME, "Every prepared asset has its renditions, and every moment its still.")
    shown = Asset.objects.filter(pk__in=lacking[:5]).values_list("uuid", flat=True)
    sentence = f"{len(lacking)} assets lack a rendition or a still. `doctor --repair` has them made again."
    return wrong(NAME, len(lacking), sentence, shown)


def repair() -> int:
    if not store_is_there():  # all would be made again for nothing
        return 0
    lost = set(_with_lost_stills())
    Frame.objects.filter(pk__in=lost).update(still="")  # whoever reads a film again makes those that are not named
    return retry(Work.objects.filter(step=Step.PREPARE, state=WorkState.DONE, asset__in=_lacking()))


def _lacking() -> set[int]:
    lost = Frame.objects.filter(pk__in=set(_with_lost_stills())).values_list("asset", flat=True)
    return set(_without_row()) | set(_without_file()) | set(_bare().values_list("asset", flat=True)) | set(lost)


def _prepared() -> Q:
    return Q(work__step=Step.PREPARE, work__state=WorkState.DONE)


def _without_row() -> Iterator[int]:
    for kind, specs in ((Kind.PHOTO, ALL_SPECS), (Kind.VIDEO, POSTER_SPECS)):
        names = [spec.name for spec in specs]
        made = Count("renditions", filter=Q(renditions__spec__in=names), distinct=True)
        assets = Asset.objects.filter(_prepared(), kind=kind).annotate(made=made)
        yield from assets.filter(made__lt=len(names)).order_by().values_list("pk", flat=True).iterator()


def _without_file() -> Iterator[int]:
    prepared = Asset.objects.filter(_prepared()).order_by().values("pk")
    rows = Rendition.objects.filter(asset__in=prepared).values_list("asset_id", "key", "size")
    for asset, key, size in rows.iterator(chunk_size=5000):
        try:
            if default_storage.size(key) != size:
                yield asset
        except OSError:
            yield asset


def _moments() -> QuerySet[Frame]:
    prepared = Asset.objects.filter(_prepared(), kind=Kind.VIDEO).order_by().values("pk")
    return Frame.objects.filter(asset__in=prepared, representative=True).order_by()


def _bare() -> QuerySet[Frame]:
    return _moments().filter(still="")


def _with_lost_stills() -> Iterator[int]:
    for frame, key in _moments().exclude(still="").values_list("pk", "still").iterator(chunk_size=5000):
        if not default_storage.exists(key):
            yield frame

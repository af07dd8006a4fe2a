"""Frames of a video as rows: written a chunk at a time, in the transaction that moves the position on."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Exists, OuterRef, QuerySet

from archive.models import Asset, Embedding, Frame, Rendition, Space, Step, Work, WorkState
from archive.spaces import hold_live
from archive.video.moments import add_stills
from archive.video.packs import SPEC


def keep_frames(
    asset: Asset, first_ms: int, until_ms: int | None, times: Sequence[int], pack: Rendition | None
) -> None:
    """The frames of `[first_ms, until_ms)` (None: to the end) are those at `times` milliseconds, and lie in `pack`.

    What was there of an earlier reading and is not there now goes, with its vectors, which are then all made again.
    """
    here = [at_ms / 1000 for at_ms in times]
    gone = _between(Frame.objects.filter(asset=asset), first_ms, until_ms).exclude(at__in=here)
    stale = list(gone.values_list("pk", flat=True))
    if stale:
        Embedding.objects.filter(asset=asset, frame__in=stale).delete()
        Frame.objects.filter(pk__in=stale).delete()
        Work.objects.filter(asset=asset, step=Step.ENCODE).update(position=None)
    Frame.objects.bulk_create([Frame(asset=asset, at=at, representative=False) for at in here], ignore_conflicts=True)
    _forget_packs(asset, first_ms, until_ms)
    if pack is not None:
        pack.save(force_insert=True)
        moments = _between(Frame.objects.filter(asset=asset, representative=True, still=""), first_ms, until_ms)
        add_stills(asset.pk, list(moments.values_list("pk", flat=True)))  # those of a pack that had been lost


def open_encoding(asset: Asset, priority: int) -> None:
    """Work in every live space: a new row, or the one that had caught up with the frames so far."""
    slugs = hold_live()
    Work.objects.bulk_create(
        [Work(asset=asset, step=Step.ENCODE, target=slug, priority=priority) for slug in slugs], ignore_conflicts=True
    )
    # Locked first: a worker that is just finishing one must be waited for, not overlooked.
    rows = Work.objects.select_for_update().filter(asset=asset, step=Step.ENCODE, target__in=slugs).order_by("pk")
    done = [work.pk for work in rows if work.state == WorkState.DONE]
    Work.objects.filter(pk__in=done).update(state=WorkState.READY, done_at=None, token=None, lease_until=None)


def frames_after(asset: int, position: int | None) -> QuerySet[Frame]:
    """What is still to be encoded behind `position` milliseconds, in order."""
    found = Frame.objects.filter(asset=asset).order_by("at")
    return found if position is None else found.filter(at__gt=position / 1000)


def first_bare(space: Space, asset: int) -> float | None:
    """The second of the first frame that has no vector in `space`."""
    embedded = Embedding.objects.filter(space_id=space.pk, frame_id=OuterRef("pk"))
    bare = Frame.objects.filter(~Exists(embedded), asset=asset)
    return bare.order_by("at").values_list("at", flat=True).first()


def is_prepared(asset: int) -> bool:
    """Whether all its frames are there."""
    return Work.objects.filter(asset=asset, step=Step.PREPARE, state=WorkState.DONE).exists()


def _between(frames: QuerySet[Frame], first_ms: int, until_ms: int | None) -> QuerySet[Frame]:
    found = frames.filter(at__gte=first_ms / 1000)
    return found if until_ms is None else found.filter(at__lt=until_ms / 1000)


def _forget_packs(asset: Asset, first_ms: int, until_ms: int | None) -> None:
    """Their files stay until the doctor finds that nobody names them: another asset may."""
    for pk, spec in Rendition.objects.filter(asset=asset, spec__startswith=SPEC).values_list("pk", "spec"):
        start = int(spec.removeprefix(SPEC))
        if first_ms <= start and (until_ms is None or start < until_ms):
            Rendition.objects.filter(pk=pk).delete()

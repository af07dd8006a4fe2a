"""PREPARE for a video: what it is, then its frames a chunk at a time, each committed with the position behind it.

A worker that is killed loses the chunk it was at. One that has worked long enough gives the video back between two
chunks: the rest waits behind other uploads, so that a film of three hours holds nobody up.
"""

from __future__ import annotations

import logging
import time

from django.conf import settings
from django.db import transaction

from archive import dispatch
from archive.decoder.decoded import Decoded, Stretch
from archive.decoder.sandbox import Sandbox
from archive.models import Asset, Frame, Step, Work, WorkState
from archive.models.work import Priority
from archive.readiness import settle
from archive.renditions import keep_rows, write_files
from archive.video.frames import keep_frames, open_encoding
from archive.video.packs import write_pack
from archive.video.stepping import chunk_end, step_of
from workers.claims import Claim, advance, finish, release
from workers.facts import write_facts
from workers.leases import Heartbeat
from workers.originals import opened

log = logging.getLogger(__name__)
MAX_NOTES = 8
LEAST_PATIENCE, MOST_PATIENCE = 120.0, 240.0  # less than what Heartbeat takes for being stuck
MS_A_SECOND_MORE = 30_000  # of film that lies before the chunk
LONG_WAY, AT_ONCE = 30.0, 400.0  # with the way and the last chunk less than the task's hard limit
ENDED = (WorkState.DONE, WorkState.QUARANTINED, WorkState.CANCELLED)


class Fenced(Exception):
    """Somebody else took over: nothing of what was just done may be stored."""


def prepare_film(one: Claim, asset: Asset, sandbox: Sandbox, until: float, heartbeat: Heartbeat | None = None) -> None:
    """Chunk after chunk, until its end or the clock says `until`. Raises what the sandbox raises."""
    try:
        position = one.position
        if position is None or asset.step_ms is None:
            _begin(one, asset, sandbox)
            position = 0
        begun = time.monotonic()
        while True:
            stretch = _read(asset, sandbox, position)
            if position == one.position:
                until = max(until, as_long_again(begun))
            ended = _keep(one, asset, position, stretch)
            dispatch.ring(Step.ENCODE)
            if ended:
                dispatch.ring(Step.PLAY)
                return
            if heartbeat is not None:
                heartbeat.progress()
            position = stretch.reached_ms
            if time.monotonic() > until:
                release([one])
                return
    except Fenced:
        log.warning("asset %s: fenced, somebody else took over", asset.uuid)


def as_long_again(begun: float) -> float:
    """Until when to go on with a film whose first chunk, since it was claimed, took from `begun` to now, in seconds of
    the monotonic clock.

    Where no key frame is near, that was decoding all that lies before the chunk. Whoever did so goes on for at least as
    long: each time at least twice as far, so that all of these ways together are no longer than the film twice. Before
    a way becomes longer than a chunk may take, the rest is done at once.
    """
    now = time.monotonic()
    took = now - begun
    return now + (took if took < LONG_WAY else max(took, AT_ONCE))


def _begin(one: Claim, asset: Asset, sandbox: Sandbox) -> None:
    """Facts and poster, and how often it will be looked at."""
    with opened(asset) as file:
        decoded = sandbox.look_at_film(file)
    rows = write_files(asset, decoded.renditions)
    with transaction.atomic():
        if not advance(one, 0):
            raise Fenced
        locked = Asset.objects.select_for_update(no_key=True).select_related(None).get(pk=asset.pk)
        _write_film(locked, decoded)
        keep_rows(rows)
    asset.refresh_from_db()


def _write_film(asset: Asset, decoded: Decoded) -> None:
    write_facts(asset, decoded)
    asset.duration = decoded.duration
    asset.step_ms, note = step_of(asset.collection, decoded.duration or 0.0)
    asset.notes = [*asset.notes, note][:MAX_NOTES] if note else asset.notes
    asset.save(update_fields=["duration", "step_ms", "notes"])


def _read(asset: Asset, sandbox: Sandbox, position: int) -> Stretch:
    assert asset.step_ms is not None
    until_ms = chunk_end(position, asset.step_ms)
    with opened(asset) as file:
        stretch = sandbox.read_stretch(file, position, until_ms, asset.step_ms, deadline=patience(position))
    return _within_limit(asset, position, stretch)


def _within_limit(asset: Asset, position: int, stretch: Stretch) -> Stretch:
    """A film may be longer than it said when its step was chosen: it ends where the limit is reached."""
    most = max(1, settings.SIGHTLINE_FRAME_LIMIT)
    room = max(0, most - Frame.objects.filter(asset=asset, at__lt=position / 1000).count())
    if len(stretch.frames) <= room:
        return stretch
    note = (
        f"It is longer than it says: it was looked at up to {stretch.frames[room][0] / 1000:.0f} seconds, "
        f"{most} frames in all; SIGHTLINE_FRAME_LIMIT allows more."
    )
    return Stretch(stretch.frames[:room], stretch.reached_ms, True, (*stretch.notes, note))


def patience(position: int) -> float:
    """Seconds for a chunk that begins at that millisecond: without key frames or an index the way there is long."""
    return min(MOST_PATIENCE, LEAST_PATIENCE + position / MS_A_SECOND_MORE)


def _keep(one: Claim, asset: Asset, position: int, stretch: Stretch) -> bool:
    """Frames, their encoding and the position in one transaction; returns whether that was the end."""
    times = [at for at, _ in stretch.frames]
    pack = write_pack(asset, position, stretch.frames) if times else None
    with transaction.atomic():
        urgency = Work.objects.values_list("priority", flat=True).get(pk=one.work_id)
        if not advance(one, stretch.reached_ms):
            raise Fenced
        if stretch.ended:
            finish([one])
            _open_play(asset)
        open_encoding(asset, urgency)
        keep_frames(asset, position, None if stretch.ended else stretch.reached_ms, times, pack)
        _stretch_duration(asset, times)
        _add_notes(asset, stretch.notes)
        settle([asset.pk])
    return stretch.ended


def _open_play(asset: Asset) -> None:
    """What a player needs can be made now, or has to be made anew."""
    fresh = {"state": WorkState.READY, "position": None, "done_at": None, "crashes": 0, "errors": 0, "last_error": ""}
    Work.objects.bulk_create([Work(asset=asset, step=Step.PLAY, priority=Priority.LONG)], ignore_conflicts=True)
    Work.objects.filter(asset=asset, step=Step.PLAY, state__in=ENDED).update(**fresh)


def _stretch_duration(asset: Asset, times: list[int]) -> None:
    """A film is at least as long as what was seen of it, whatever its header said."""
    if times and times[-1] / 1000 > (asset.duration or 0.0):
        asset.duration = (times[-1] + (asset.step_ms or 0)) / 1000
        asset.save(update_fields=["duration"])


def _add_notes(asset: Asset, notes: tuple[str, ...]) -> None:
    new = [note for note in notes if note not in asset.notes]
    if new:
        asset.notes = [*asset.notes, *new][:MAX_NOTES]
        asset.save(update_fields=["notes"])

"""ENCODE: from stored renditions to stored vectors, in batches.

Three stages overlap: a loader claims and decodes the next batch while the model computes this
one and a writer stores the last. The model runs in the calling thread; decoders and psycopg
let other threads run.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection, transaction

from archive.models import Frame, Rendition, Space, SpaceState, Step, Work, WorkState
from archive.models.work import NO_ROOM
from archive.noticing import notice
from archive.readiness import settle
from archive.storage import StoreAway, store_is_there
from archive.vectors import Rows, copy_known_vectors, read_vectors, store_vectors
from archive.video.packs import PackMissing
from archive.work import retry
from workers.claims import Claim, claim, finish, put_off, release, set_aside, try_later
from workers.concepts import read_concepts
from workers.deriving import derive_waiting
from workers.encode_films import Run, keep_batch
from workers.encoders.load import encoder_of
from workers.encoders.protocol import Damaged, Encoder, EncoderRefused, NotNow, OutOfMemory, Vectors
from workers.leases import Heartbeat
from workers.prepare import worker_name

log = logging.getLogger(__name__)


TURNS = (SpaceState.ACTIVE, SpaceState.READY, SpaceState.BUILDING)


# A batch that fits is remembered for a while by this process: what took the memory may have ended since.
REMEMBER_SECONDS = 600.0
_fitting: dict[int, tuple[int, float]] = {}  # by space: the batch, and until when on the monotonic clock


class RenditionUnusable(Exception):
    """Missing or damaged. It can be made again; where the original is at fault, that says so."""

    def __init__(self, how: str) -> None:
        super().__init__(f"The picture made for the encoder is {how}; it is being made again.")


@dataclass(frozen=True)
class Item:
    """One frame, ready for the model."""

    claim: Claim
    frame_id: int
    pixels: Any
    at: float = 0.0  # its second, in a video


@dataclass(frozen=True)
class Batch:
    """What goes through the model together: photos, or frames of one video (`run`), which may be its `last`."""

    items: list[Item]
    run: Run | None = None
    last: bool = False


def drain_encode(budget: float = 10.0) -> bool:
    """Encode what waits in every live space, the searched one first and the one that is filled last; returns
    whether more may wait."""
    until = time.monotonic() + budget
    read_concepts()  # first: what is stored from here on is compared with them
    derive_waiting(until)
    if not store_is_there():
        log.error("nothing is claimed: %s", StoreAway())
        return False
    for space in waiting_spaces():
        if space.parent_id:  # from what was encoded a moment ago
            derive_waiting(until)
            if time.monotonic() >= until:  # what can be derived must not go through the model for want of time
                return True
        try:
            if Pipeline(space, encoder_of(space)).run(until):
                return True
        except (EncoderRefused, NotNow) as error:  # the spaces behind it get their turn all the same
            log.error("space %s: %s", space.slug, error)
    return False


def waiting_spaces() -> list[Space]:
    """Where work waits, the searched one first, and a parent before what is derived from it."""
    waiting = Work.objects.filter(step=Step.ENCODE, state=WorkState.READY).values("target")
    spaces = list(Space.objects.live().filter(slug__in=waiting).select_related("parent"))
    first = {pk for space in spaces if space.state == SpaceState.ACTIVE for pk in (space.pk, space.parent_id)}
    return sorted(spaces, key=lambda space: _turn(space, first))


def _turn(space: Space, first: set[int | None]) -> tuple[int, bool]:
    """The searched space and its parent, then by state; of two alike the one that is derived from nothing."""
    return (0 if space.pk in first else 1 + TURNS.index(SpaceState(space.state)), space.parent_id is not None)


class Pipeline:
    def __init__(self, space: Space, encoder: Encoder) -> None:
        self.space = space
        self.encoder = encoder
        self.worker = worker_name()
        self.batch = _remembered_batch(space)  # shrinks when the device runs out of memory
        self.film: Run | None = None  # the video that is being loaded

    def run(self, until: float) -> bool:
        """Work until nothing waits or the clock says `until`; returns whether more may wait."""
        threads = min(16, os.cpu_count() or 1)
        with (
            Heartbeat() as self.heartbeat,
            ThreadPoolExecutor(threads, "decode") as self.decoders,
            ThreadPoolExecutor(1, "load") as loader,
            ThreadPoolExecutor(1, "write") as writer,
        ):
            try:
                return self._run(until, loader, writer)
            finally:
                for pool in (loader, writer):
                    pool.submit(_close_connection)

    def _run(self, until: float, loader: ThreadPoolExecutor, writer: ThreadPoolExecutor) -> bool:
        """Stream after stream: one ends where nothing waits, or where an item has to be tried alone."""
        while self._stream(until, loader, writer):
            if time.monotonic() >= until:
                return True
        return False

    def _stream(self, until: float, loader: ThreadPoolExecutor, writer: ThreadPoolExecutor) -> bool:
        """Batches until `load` gives none; returns whether there was any."""
        loading: Future[Batch | None] = loader.submit(self.load)
        writing: Future[None] | None = None
        try:
            while (batch := loading.result()) is not None:
                loading = loader.submit(self.load if time.monotonic() < until else _nothing)
                try:
                    items, vectors = self.encode_all_but_bad(batch.items)
                except OutOfMemory as error:  # no picture's fault, all are of one size: not counted
                    self._put_off(batch.items)
                    raise OutOfMemory(NO_ROOM) from error
                self.heartbeat.progress()
                if writing is not None:
                    writing.result()  # one batch behind at most: the queue between the stages is bounded
                if batch.run is None:
                    writing = writer.submit(self.store, items, vectors)
                else:
                    writing = writer.submit(self.store_frames, batch, items, vectors)
            if writing is not None:
                writing.result()
        finally:
            loading.exception()
            if writing is not None:
                writing.exception()
            release(self.heartbeat.held)
            self.film = None
        return writing is not None

    def load(self) -> Batch | None:
        """Claim a batch and decode it; None when nothing waits. What cannot be read drops out alone.

        What a worker died on is held alone: whatever is in the pipeline with it would die with it.
        """
        if self.film is not None and not self.film.stopped:
            return self._next_of_film(self.film)
        held = self.heartbeat.held
        if any(one.suspect for one in held):
            return None
        claims = claim(Step.ENCODE, self.space.slug, self.batch, self.worker, suspects=not held)
        if not claims:
            return None
        self.heartbeat.hold(claims)
        if claims[0].film:
            self.film = Run(claims[0])
            return self._next_of_film(self.film)
        claims = self._without_known(claims)
        keys = dict(
            Rendition.objects.filter(asset__in=[c.asset_id for c in claims], spec="encoder").values_list(
                "asset_id", "key"
            )
        )
        frames = dict(Frame.objects.filter(asset__in=[c.asset_id for c in claims]).values_list("asset_id", "pk"))
        jobs = [(c, self.decoders.submit(self._read, keys.get(c.asset_id))) for c in claims]
        items = []
        for one, job in jobs:
            pixels = self._result(one, job)
            if pixels is None:
                continue
            if one.asset_id in frames:
                items.append(Item(one, frames[one.asset_id], pixels))
            else:  # deleted since, and its work with it
                self.heartbeat.drop([one])
        return Batch(items)

    def _next_of_film(self, run: Run) -> Batch | None:
        """Frames of the video that is being loaded, in order; when they end, its last batch, which may be empty."""
        try:
            frames, last = run.next(self.batch)
            jobs = [self.decoders.submit(self._prepared, one.data) for one in frames]
            items = [Item(run.claim, one.frame_id, job.result(), one.at) for one, job in zip(frames, jobs, strict=True)]
        except (PackMissing, RenditionUnusable):
            # Reading a long film again takes longer than all the tries there are: only what begins it anew counts.
            begun = retry(Work.objects.filter(asset=run.claim.asset_id, step=Step.PREPARE))
            return self._let_go(run, try_later if begun else put_off, str(PackMissing()))
        except StoreAway as error:
            return self._let_go(run, put_off, str(error))
        except MemoryError:
            return self._let_go(run, put_off, NO_ROOM)
        except OSError as error:
            return self._let_go(run, try_later, f"The frames could not be read: {error}")
        run.stopped = last
        return Batch(items, run, last)

    def _let_go(self, run: Run, give_back: Callable[[Claim, str], None], why: str) -> Batch:
        run.stopped = True
        give_back(run.claim, why)
        self.heartbeat.drop([run.claim])
        return Batch([])

    def encode_all_but_bad(self, items: list[Item]) -> tuple[list[Item], Vectors]:
        """A picture whose vector is not finite fails alone; where all of several do, the model is at fault."""
        try:
            return items, self.encode(items)
        except EncoderRefused as error:
            refused = error
        if not items:
            return items, np.empty((0, 768), dtype=np.float32)
        if len(items) == 1:
            set_aside(items[0].claim, f"The model cannot read this picture. {refused}")
            self.heartbeat.drop([items[0].claim])
            return [], np.empty((0, 768), dtype=np.float32)
        good: list[tuple[Item, Vectors]] = []
        bad: list[Item] = []
        for item in items:
            try:
                good.append((item, self.encode([item])))
            except EncoderRefused:
                bad.append(item)
        if not good:
            raise refused
        for item in bad:
            self.encode_all_but_bad([item])
        return [item for item, _ in good], np.concatenate([vector for _, vector in good])

    def encode(self, items: list[Item]) -> Vectors:
        """(n, 768). When the device is full the batch is halved, down to one picture."""
        vectors: list[Vectors] = []
        rest = [item.pixels for item in items]
        while rest:
            try:
                vectors.append(self.encoder.encode_pictures(rest[: self.batch]))
                rest = rest[self.batch :]
                continue
            except OutOfMemory:
                if self.batch == 1:
                    raise
            self.batch //= 2
            _fitting[self.space.pk] = (self.batch, time.monotonic() + REMEMBER_SECONDS)
            log.warning("out of memory: batches of %d from here on", self.batch)
        return np.concatenate(vectors) if vectors else np.empty((0, 768), dtype=np.float32)

    def store(self, items: list[Item], vectors: Vectors) -> None:
        """Vectors and the end of their work, in one transaction; what was fenced is not stored."""
        claims = [item.claim for item in items]
        with transaction.atomic():
            ours = finish(claims)
            kept = [i for i, item in enumerate(items) if item.claim.work_id in ours]
            frames = [items[i].frame_id for i in kept]
            assets = [items[i].claim.asset_id for i in kept]
            store_vectors(self.space, frames, assets, vectors[kept])
            notice(self.space, Rows(frames, assets, vectors[kept]))
            settle(items[i].claim.asset_id for i in kept)
        if len(kept) < len(items):
            log.warning("fenced: %d results came after their lease", len(items) - len(kept))
        self.heartbeat.drop(claims)

    def store_frames(self, batch: Batch, items: list[Item], vectors: Vectors) -> None:
        """As `store`, for frames of a video: its position moves on with its vectors."""
        run = batch.run
        assert run is not None
        rows = Rows([item.frame_id for item in items], [run.claim.asset_id] * len(items), vectors)
        kept = keep_batch(self.space, run, rows, [item.at for item in items], last=batch.last)
        if not kept:
            log.warning("fenced: frames of a video came after their lease")
            run.stopped = True
        if batch.last or not kept:
            self.heartbeat.drop([run.claim])
        self.heartbeat.progress()

    def _put_off(self, items: list[Item]) -> None:
        for one in {item.claim.token: item.claim for item in items}.values():  # frames of a video have one claim
            put_off(one, NO_ROOM)
        self.heartbeat.drop([item.claim for item in items])

    def _without_known(self, claims: list[Claim]) -> list[Claim]:
        """Equal content is encoded once: copy the vectors that a twin has."""
        with transaction.atomic():
            copied = set(copy_known_vectors(self.space, [c.asset_id for c in claims]))
            notice(self.space, read_vectors(self.space, list(copied)))
            done = [c for c in claims if c.asset_id in copied]
            finish(done)
            settle(copied)
        self.heartbeat.drop(done)
        return [c for c in claims if c.asset_id not in copied]

    def _read(self, key: str | None) -> Any:
        if key is None:
            raise RenditionUnusable("missing")
        try:
            with default_storage.open(key) as file:
                data = file.read()
        except FileNotFoundError as error:
            raise (RenditionUnusable("missing") if store_is_there() else StoreAway()) from error
        return self._prepared(data)

    def _prepared(self, data: bytes) -> Any:
        self.heartbeat.progress()
        try:
            return self.encoder.prepare_jpeg(data)
        except Damaged as error:
            log.warning("a rendition is damaged: %s", error)
            raise RenditionUnusable("damaged") from error

    def _result(self, one: Claim, job: Future[Any]) -> Any | None:
        try:
            return job.result()
        except RenditionUnusable as error:
            retry(Work.objects.filter(asset=one.asset_id, step=Step.PREPARE))
            try_later(one, str(error))
        except StoreAway as error:
            put_off(one, str(error))
        except MemoryError:  # no picture's fault
            put_off(one, NO_ROOM)
        except OSError as error:
            try_later(one, f"The picture could not be read: {error}")
        except Exception as error:  # the batch must go on
            log.exception("asset %s", one.asset_id)
            set_aside(one, f"The picture made for the encoder cannot be read ({type(error).__name__}).")
        self.heartbeat.drop([one])
        return None


def _remembered_batch(space: Space) -> int:
    batch, until = _fitting.get(space.pk, (0, 0.0))
    usual: int = settings.SIGHTLINE_ENCODE_BATCH
    return min(batch, usual) if time.monotonic() < until else usual


def _nothing() -> None:
    return None


def _close_connection() -> None:
    """Of the thread that runs this."""
    connection.close()

"""Videos in several spaces: filled later, derived, made again, and shown as the searched space parts them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils.timezone import now

from archive.doctor.rounds import examine
from archive.models import (
    Asset,
    ClipEmbedding,
    Collection,
    Embedding,
    Frame,
    Kind,
    Space,
    SpaceState,
    Status,
    Step,
    Work,
    WorkState,
)
from archive.models.work import NO_ROOM
from archive.spaces import activate, backfill, gaps, promote_full
from archive.vectors import Vectors, read_vectors, store_vectors
from archive.video import calibration
from archive.video.calibration import Sample, calibrate_shots, find_mark
from archive.video.moments import follow
from archive.video.packs import packs_of
from archive.video.shots import Start, part, threshold_of
from archive.video.vectors import keep_vectors, read_next
from archive.work import encode_again
from tests import films
from tests.prepared import random_rows
from tests.workers.test_adapter import make_adapter
from tests.workers.test_films import take_in, work
from workers import deriving
from workers.claims import ERRORS
from workers.encode import drain_encode
from workers.encoders.adapter_files import keep_adapter
from workers.encoders.fake import FakeEncoder
from workers.encoders.load import encoder_of
from workers.prepare import drain_prepare
from workers.spaces import make_space

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def film(harbour: Collection, fake_space: Space, tmp_path: Path) -> Asset:
    asset = take_in(harbour, films.make_film(tmp_path / "film.mp4", films.scenes(4, 5.0)))
    work()
    return asset


def begins_in(space: Space, asset: Asset) -> list[float]:
    rows = Embedding.objects.filter(space=space, asset=asset, representative=True)
    return list(rows.order_by("frame__at").values_list("frame__at", flat=True))


def test_a_new_space_is_filled_from_the_packs(film: Asset, fake_space: Space) -> None:
    default_storage.delete(film.original)  # nothing of it is decoded again
    other = make_space("other", "fake", "turned")
    assert backfill(other) == 1
    assert gaps(other).count == 1
    work()
    assert gaps(other).count == 0
    assert Embedding.objects.filter(space=other, asset=film).count() == 20
    assert begins_in(other, film) == begins_in(fake_space, film) == [0.0, 5.0, 10.0, 15.0]
    assert ClipEmbedding.objects.filter(asset=film).count() == 2
    assert promote_full() is not None
    assert Space.objects.get(slug="other").state == SpaceState.READY


def test_an_adapted_space_derives_a_video_from_its_parent(film: Asset, fake_space: Space) -> None:
    adapter = make_adapter(encoder_of(fake_space).identity)
    space = make_space("adapted", keep_adapter(adapter), parent=fake_space)
    backfill(space)
    for _, key in packs_of(film.pk):
        default_storage.delete(key)  # neither pictures nor a model are needed
    work()
    assert Embedding.objects.filter(space=space, asset=film).count() == 20
    assert begins_in(space, film)[0] == 0.0
    parent, child = read_vectors(fake_space, [film.pk]), read_vectors(space, [film.pk])
    expected = dict(zip(parent.frames, adapter.pictures(parent.vectors), strict=True))
    assert all(expected[frame] @ vector > 0.999 for frame, vector in zip(child.frames, child.vectors, strict=True))
    assert ClipEmbedding.objects.filter(space=space, asset=film).exists()


def test_moments_are_those_of_the_space_that_is_searched(film: Asset, fake_space: Space) -> None:
    other = make_space("other", "fake", "turned")
    Space.objects.filter(pk=other.pk).update(calibration={"shot": -1.0})  # to it all frames are alike
    backfill(other)
    work()
    other.refresh_from_db()
    assert begins_in(other, film) == [0.0]
    activate(other, even_if_partial=True)
    assert follow(other) == 1
    moments = Frame.objects.filter(asset=film, representative=True)
    assert list(moments.values_list("at", "start", "end")) == [(0.0, 0.0, 20.0)]
    activate(fake_space, even_if_partial=True)
    fake_space.refresh_from_db()
    assert follow(fake_space) == 1
    assert follow(fake_space) == 0
    assert list(moments.order_by("at").values_list("start", "end")) == [(0, 5), (5, 10), (10, 15), (15, 20)]


def test_vectors_that_are_made_again_come_out_the_same(film: Asset, fake_space: Space) -> None:
    before = read_vectors(fake_space, [film.pk])
    Embedding.objects.filter(asset=film, representative=False).delete()
    assert encode_again(Asset.objects.filter(pk=film.pk)) == 1
    work()
    after = read_vectors(fake_space, [film.pk])
    assert sorted(before.frames) == sorted(after.frames)
    assert begins_in(fake_space, film) == [0.0, 5.0, 10.0, 15.0]
    film.refresh_from_db()
    assert film.status == Status.READY


def test_a_lost_pack_is_read_from_the_film_again(film: Asset, fake_space: Space) -> None:
    for _, key in packs_of(film.pk):
        default_storage.delete(key)
    encode_again(Asset.objects.filter(pk=film.pk))
    work()
    Work.objects.filter(state=WorkState.READY).update(not_before="2000-01-01T00:00Z")  # its pause is over
    work()
    film.refresh_from_db()
    assert (film.status, film.error) == (Status.READY, "")
    assert Embedding.objects.filter(asset=film).count() == 20


def test_a_memory_that_is_full_while_frames_are_decoded_is_waited_for(
    film: Asset, fake_space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: Any) -> Any:
        raise MemoryError

    encode_again(Asset.objects.filter(pk=film.pk))
    with monkeypatch.context() as for_now:
        for_now.setattr(FakeEncoder, "prepare_jpeg", no_room)
        drain_encode()
    waiting = Work.objects.get(asset=film, step=Step.ENCODE)
    assert (waiting.state, waiting.last_error, waiting.errors, waiting.crashes) == (WorkState.READY, NO_ROOM, 0, 0)
    Work.objects.filter(state=WorkState.READY).update(not_before="2000-01-01T00:00Z")
    work()
    assert set(Work.objects.values_list("state", flat=True)) == {WorkState.DONE}


def test_another_pace_leaves_no_frame_of_the_old_one(film: Asset, harbour: Collection, fake_space: Space) -> None:
    harbour.frames_per_second = 0.5
    harbour.save()
    Work.objects.filter(asset=film, step=Step.PREPARE).update(state=WorkState.READY, position=None)
    work()
    film.refresh_from_db()
    assert film.step_ms == 2000
    assert [frame.at for frame in film.frames.order_by("at")] == [float(second) for second in range(0, 20, 2)]
    assert Embedding.objects.filter(asset=film).count() == 10
    assert begins_in(fake_space, film) == [0.0, 6.0, 10.0, 16.0]


def test_the_doctor_finds_a_video_well_and_misses_what_is_gone(film: Asset, fake_space: Space) -> None:
    looked = {"renditions", "vectors", "stray vectors", "orphan files", "fingerprints"}
    assert [found.name for found in examine() if found.name in looked and not found.ok] == []
    default_storage.delete(packs_of(film.pk)[0][1])
    Embedding.objects.filter(asset=film).first().delete()  # type: ignore[union-attr]
    assert {found.name for found in examine() if found.name in looked and not found.ok} == {"renditions", "vectors"}
    list(examine(repair=True))
    drain_prepare()
    Work.objects.filter(state=WorkState.READY).update(not_before="2000-01-01T00:00Z")
    work()
    assert [found.name for found in examine() if found.name in looked and not found.ok] == []


def test_slow_drift_does_not_glue_a_film_together() -> None:
    """Each frame resembles the one before, and the first less and less."""
    angles = np.linspace(0, np.pi / 2, 40)
    vectors = np.zeros((40, 768), dtype=np.float32)
    vectors[:, 0], vectors[:, 1] = np.cos(angles), np.sin(angles)
    begins = part(None, list(range(40)), vectors, 0.9)
    starts = [number for number, new in enumerate(begins) if new]
    assert 3 <= len(starts) <= 5
    for at, vector in enumerate(vectors):
        own = max(start for start in starts if start <= at)
        assert vector @ vectors[own] >= 0.9 - 1e-3


def test_a_shot_that_lasts_for_ever_is_parted_all_the_same() -> None:
    vectors = np.repeat(random_rows(1), 3600, axis=0)
    begins = part(None, list(range(3600)), vectors, 0.9)
    assert [number for number, new in enumerate(begins) if new] == list(range(0, 3600, 300))


def test_parting_in_pieces_is_parting_at_once() -> None:
    dice = np.random.default_rng(3)
    rows = np.repeat(random_rows(20), 6, axis=0) + dice.normal(size=(120, 768)).astype(np.float32) * 0.011
    times = [float(second) for second in range(120)]
    whole = part(None, times, rows, 0.9)
    pieces: list[bool] = []
    start: Start | None = None
    for first in range(0, 120, 7):
        here = slice(first, first + 7)
        new = part(start, times[here], rows[here], 0.9)
        for number, begins in enumerate(new, first):
            start = Start(times[number], rows[number].astype(np.float16).astype(np.float32)) if begins else start
        pieces += new
    assert pieces == whole
    assert 20 <= sum(whole) < 120


def test_the_mark_of_a_shot_lies_between_cuts_and_the_rest() -> None:
    dice = np.random.default_rng(1)
    same, cut = dice.normal(0.96, 0.01, 900), dice.normal(0.7, 0.05, 100)
    sample = Sample(np.concatenate([same, cut]).astype(np.float32), unrelated=0.5, films=10)
    mark = find_mark(sample)
    assert mark is not None
    assert 0.78 < mark < 0.93


def test_a_space_learns_from_its_videos_what_one_shot_is(harbour: Collection, fake_space: Space) -> None:
    """Four films of 25 shots each, whose frames are a little noisy."""
    vectors = complete_films(harbour, fake_space, range(4))
    assert threshold_of(fake_space) == 0.9
    mark = calibrate_shots(fake_space)
    assert mark is not None
    fake_space.refresh_from_db()
    assert threshold_of(fake_space) == pytest.approx(mark, abs=1e-3)
    assert threshold_of(fake_space) != 0.9
    assert sum(part(None, [float(at) for at in range(125)], vectors, mark)) == 25
    assert calibrate_shots(fake_space) is None  # nothing new


def complete_films(collection: Collection, space: Space, numbers: range) -> Vectors:
    """Of 25 shots each, 125 frames; returns the vectors of the last one."""
    dice = np.random.default_rng(5)
    for number in numbers:
        rows = np.repeat(random_rows(25, seed=number), 5, axis=0) + dice.normal(size=(125, 768)) * 0.008
        vectors = np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)
        asset = Asset.objects.create(
            collection=collection, kind=Kind.VIDEO, sha256=f"{number:064}", original="x", media_type="video/mp4", size=1
        )
        frames = Frame.objects.bulk_create(Frame(asset=asset, at=float(at), representative=False) for at in range(125))
        store_vectors(space, [frame.pk for frame in frames], [asset.pk], vectors)
        Work.objects.create(asset=asset, step=Step.ENCODE, target=space.slug, state=WorkState.DONE)
    return vectors


def test_two_videos_tell_nothing_and_are_not_read_round_after_round(
    harbour: Collection, fake_space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "LEAST_PAIRS", 100)
    complete_films(harbour, fake_space, range(2))
    with monkeypatch.context() as patch:
        patch.setattr(calibration, "take_sample", None)
        assert calibrate_shots(fake_space) is None
    complete_films(harbour, fake_space, range(2, 3))
    assert calibrate_shots(fake_space) is not None


def test_of_a_long_video_only_the_frames_that_are_looked_at_are_read(
    harbour: Collection, fake_space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete_films(harbour, fake_space, range(3))
    monkeypatch.setattr(calibration, "FRAMES", 40)
    read: list[int] = []

    def counted(*args: Any) -> Any:
        rows, times = read_next(*args)
        read.append(len(rows.frames))
        return rows, times

    monkeypatch.setattr(calibration, "read_next", counted)
    assert len(calibration.take_sample(fake_space).neighbours) == 3 * 39
    assert read == [40, 40, 40]


def test_without_cuts_there_is_no_mark() -> None:
    dice = np.random.default_rng(2)
    still = dice.uniform(0.95, 0.999, 1000).astype(np.float32)
    still[:3] = 0.4
    assert find_mark(Sample(np.ones(1000, dtype=np.float32), unrelated=0.5, films=10)) is None
    assert find_mark(Sample(still, unrelated=0.5, films=10)) is None


def test_a_video_is_derived_in_stretches_each_kept_with_the_position_behind_it(
    film: Asset, fake_space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = make_space("adapted", keep_adapter(make_adapter(encoder_of(fake_space).identity)), parent=fake_space)
    backfill(space)
    monkeypatch.setattr("workers.deriving.BATCH", 7)
    whole, stored = keep_vectors, []

    def killed_in_the_third(*args: Any) -> None:
        stored.append(len(args[2]))
        if len(stored) == 3:
            raise KeyboardInterrupt
        whole(*args)

    monkeypatch.setattr("workers.deriving.keep_vectors", killed_in_the_third)
    with pytest.raises(KeyboardInterrupt):
        deriving.derive_vectors(space)
    waiting = Work.objects.get(asset=film, target=space.slug)
    assert (waiting.state, waiting.position) == (WorkState.READY, 13_000)
    assert Embedding.objects.filter(space=space, asset=film).count() == 14
    assert deriving.derive_vectors(space, until=time.monotonic()) == 0  # no time, nothing begun
    assert deriving.derive_vectors(space) == 1
    assert stored == [7, 7, 6, 6]
    waiting.refresh_from_db()
    assert (waiting.state, waiting.position) == (WorkState.DONE, 19_000)
    assert begins_in(space, film)[0] == 0.0
    assert ClipEmbedding.objects.filter(space=space, asset=film).exists()


def test_however_long_a_film_is_read_again_its_encoding_waits(film: Asset, fake_space: Space) -> None:
    for _, key in packs_of(film.pk):
        default_storage.delete(key)
    encode_again(Asset.objects.filter(pk=film.pk))
    encoding = Work.objects.get(asset=film, step=Step.ENCODE)
    for _ in range(ERRORS + 2):
        drain_encode()
        encoding.refresh_from_db()
        assert (encoding.state, encoding.errors) == (WorkState.READY, 1)
        assert encoding.not_before > now()
        Work.objects.filter(pk=encoding.pk).update(not_before="2000-01-01T00:00Z")
    work()
    film.refresh_from_db()
    assert (film.status, film.error) == (Status.READY, "")


def test_a_film_whose_frames_cannot_be_kept_is_not_read_for_ever(film: Asset, fake_space: Space) -> None:
    """Read again each time, and each time the frames are gone once more: that counts."""
    encode_again(Asset.objects.filter(pk=film.pk))
    for _ in range(ERRORS):
        for _, key in packs_of(film.pk):
            default_storage.delete(key)
        Work.objects.filter(asset=film, step=Step.PREPARE).update(state=WorkState.DONE)
        Work.objects.filter(asset=film, step=Step.ENCODE).update(not_before="2000-01-01T00:00Z")
        drain_encode()
    assert Work.objects.get(asset=film, step=Step.ENCODE).state == WorkState.QUARANTINED


def test_stills_of_another_space_s_moments_are_made_when_the_frames_are_there_again(
    film: Asset, fake_space: Space
) -> None:
    for _, key in packs_of(film.pk):
        default_storage.delete(key)
    film.frames.update(still="", representative=False)
    Asset.objects.filter(pk=film.pk).update(moments_in=make_space("other", "fake", "turned"))
    assert follow(fake_space) == 1
    moments = film.frames.filter(representative=True)
    assert set(moments.values_list("still", flat=True)) == {""}
    assert Work.objects.get(asset=film, step=Step.PREPARE).state == WorkState.READY
    work()
    assert moments.count() == 4
    assert all(default_storage.exists(key) for key in moments.values_list("still", flat=True))


def test_the_doctor_misses_stills_and_has_them_made_again(film: Asset, fake_space: Space) -> None:
    first, second, *_ = film.frames.filter(representative=True).order_by("at")
    default_storage.delete(first.still)
    assert [found.name for found in examine() if found.name == "renditions" and not found.ok] == ["renditions"]
    Frame.objects.filter(pk=second.pk).update(still="")
    list(examine(repair=True))
    work()
    assert [found.name for found in examine() if found.name == "renditions" and not found.ok] == []
    first.refresh_from_db()
    second.refresh_from_db()
    assert default_storage.exists(first.still)
    assert default_storage.exists(second.still)


def test_following_another_space_waits_for_whoever_encodes(film: Asset, fake_space: Space) -> None:
    """Both write the work, the frames and the asset: in two orders each would wait for the other."""
    other = make_space("other", "fake", "turned")
    Asset.objects.filter(pk=film.pk).update(moments_in=other)

    def follow_it() -> int:
        try:
            return follow(fake_space)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():  # as a batch of vectors does it
            Work.objects.filter(asset=film, step=Step.ENCODE).update(position=1)
            film.frames.update(representative=False)
            followed = pool.submit(follow_it)
            time.sleep(0.5)
            Asset.objects.filter(pk=film.pk).update(moments_in=other)
        assert followed.result(20) == 1
    assert film.frames.filter(representative=True).count() == 4

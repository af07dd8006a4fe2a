"""Videos through the workers: frames and vectors chunk by chunk, shots, stills, and what a crash leaves."""

from __future__ import annotations

import time
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.test import Client
from django.utils.timezone import now
from PIL import Image

from archive.decoder.refusals import DecoderTimedOut
from archive.decoder.sandbox import Sandbox
from archive.incoming import receive_file
from archive.ingest import ingest_file
from archive.models import (
    Asset,
    ClipEmbedding,
    Collection,
    Concept,
    ConceptKind,
    Embedding,
    Flag,
    Frame,
    Kind,
    Space,
    Status,
    Step,
    Work,
    WorkState,
)
from archive.moderation.flagging import Doubt, raise_flags
from archive.vectors import read_vectors
from archive.video import stepping
from search.candidates import find_candidates
from search.query import Query
from tests import films
from workers.claims import ERRORS, claim
from workers.encode import drain_encode
from workers.encoders.load import open_encoder
from workers.films import as_long_again, patience
from workers.play import drain_play
from workers.prepare import drain_prepare, prepare
from workers.scenes.captions import full_caption
from workers.scenes.drawing import draw
from workers.scenes.scene import draw_distinct_scenes

pytestmark = pytest.mark.django_db(transaction=True)


def take_in(collection: Collection, path: Path) -> Asset:
    return ingest_file(receive_file(path), collection=collection, uploader=None, filename=path.name).asset


def work() -> None:
    while drain_prepare(60) or drain_encode(60):
        pass
    drain_encode(60)
    drain_play(60)


def test_a_film_becomes_frames_vectors_and_moments(harbour: Collection, fake_space: Space, tmp_path: Path) -> None:
    shown = films.scenes(4, 5.0)
    asset = take_in(harbour, films.make_film(tmp_path / "film.mp4", shown))
    assert asset.kind == Kind.VIDEO
    work()
    asset.refresh_from_db()
    assert (asset.status, asset.error, asset.duration) == (Status.READY, "", 20.0)
    frames = list(Frame.objects.filter(asset=asset).order_by("at"))
    assert [frame.at for frame in frames] == [float(second) for second in range(20)]
    moments = [frame for frame in frames if frame.representative]
    assert [(frame.start, frame.end) for frame in moments] == [(0.0, 5.0), (5.0, 10.0), (10.0, 15.0), (15.0, 20.0)]
    assert all(frame.still for frame in moments)
    assert not any(frame.still for frame in frames if not frame.representative)
    assert Embedding.objects.filter(space=fake_space, asset=asset).count() == 20
    kept = Embedding.objects.filter(space=fake_space, asset=asset, representative=True)
    assert set(kept.values_list("frame_id", flat=True)) == {frame.pk for frame in moments}
    clip = np.asarray(ClipEmbedding.objects.get(space=fake_space, asset=asset).vector, dtype=np.float32)
    vectors = [np.asarray(e.vector, dtype=np.float32) for e in Embedding.objects.filter(space=fake_space, asset=asset)]
    mean = np.mean(vectors, axis=0)
    assert clip @ (mean / np.linalg.norm(mean)) == pytest.approx(1.0, abs=1e-3)
    assert set(asset.renditions.values_list("spec", flat=True)) >= {"thumbnail", "preview", "frames-0"}


def test_a_still_scene_is_few_moments_and_a_montage_one_for_each_cut(
    harbour: Collection, drawn_space: Space, tmp_path: Path
) -> None:
    scenes = draw_distinct_scenes(5, 12)
    pictures = [draw(scene, 320, 240) for scene in scenes]
    still = take_in(harbour, films.make_film(tmp_path / "still.mp4", [(pictures[0], 900.0)], fps=1))
    cuts = take_in(harbour, films.make_film(tmp_path / "cuts.mp4", [(picture, 3.0) for picture in pictures], fps=5))
    work()
    counted = {name: (found.frames.count(), moments_of(found)) for name, found in (("still", still), ("cuts", cuts))}
    assert counted["still"] == (900, [0.0, 300.0, 600.0])  # the longest that a shot may be
    assert counted["cuts"] == (36, [3.0 * number for number in range(12)])


def test_the_second_of_a_scene_is_found_by_words(harbour: Collection, drawn_space: Space, tmp_path: Path) -> None:
    """The frame closest to a scene's description lies within a second of where the scene begins, or in it."""
    scenes = draw_distinct_scenes(21, 10, held_out=True)
    shown = [(draw(scene, 320, 240), 4.0) for scene in scenes]
    asset = take_in(harbour, films.make_film(tmp_path / "film.mp4", shown, fps=10))
    work()
    rows = read_vectors(drawn_space, [asset.pk])
    seconds = dict(Frame.objects.filter(asset=asset).values_list("pk", "at"))
    texts = open_encoder("shipped:drawn-scenes").encode_texts([full_caption(s, Random(1)).text for s in scenes])
    best = (texts @ rows.vectors.T).argmax(axis=1)
    found = [seconds[rows.frames[number]] for number in best]
    right = [start - 1 <= at < start + 4 for at, start in zip(found, films.starts(shown), strict=True)]
    print(f"R@1 over {len(scenes)} scenes: {np.mean(right):.2f}")
    assert np.mean(right) >= 0.7


def moments_of(asset: Asset) -> list[float]:
    return list(Frame.objects.filter(asset=asset, representative=True).order_by("at").values_list("at", flat=True))


def test_a_film_that_takes_too_long_is_tried_again_and_stays_found(
    harbour: Collection, alice: User, fake_space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stepping, "CHUNK_FRAMES", 5)
    asset = take_in(harbour, films.make_film(tmp_path / "film.mp4", films.scenes(3, 5.0, (64, 48)), fps=2))
    late: list[int] = []

    class Busy(Sandbox):
        def read_stretch(self, source: Any, first_ms: int, *rest: int, **options: Any) -> Any:
            if first_ms >= 5000:
                late.append(first_ms)
                raise DecoderTimedOut(120)
            return super().read_stretch(source, first_ms, *rest, **options)

    work = Work.objects.filter(asset=asset, step=Step.PREPARE)
    with Busy(films=True) as sandbox:
        for errors in range(1, ERRORS + 1):
            work.update(not_before=now())
            for one in claim(Step.PREPARE, "", 1, "me"):
                prepare(one, sandbox)
            assert work.get().errors == errors
            assert work.get().state == (WorkState.READY if errors < ERRORS else WorkState.QUARANTINED)
    drain_encode(60)
    asset.refresh_from_db()
    assert (late, asset.status) == ([5000] * ERRORS, Status.FAILED)
    assert Embedding.objects.filter(asset=asset).count() == 5
    assert asset in find_candidates(Query(text="harbour"), alice)


def test_a_film_that_is_longer_than_it_says_makes_no_more_frames_than_the_limit(
    harbour: Collection, fake_space: Space, tmp_path: Path, settings: Any
) -> None:
    """As where its end takes too long to find, and its header names too little."""
    settings.SIGHTLINE_FRAME_LIMIT = 100
    asset = take_in(harbour, films.make_film(tmp_path / "film.mkv", films.scenes(4, 50.0, (64, 48)), fps=2))

    class Believing(Sandbox):
        def look_at_film(self, *asked: Any, **options: Any) -> Any:
            return replace(super().look_at_film(*asked, **options), duration=10.0)

    (one,) = claim(Step.PREPARE, "", 1, "me")
    with Believing(films=True) as sandbox:
        prepare(one, sandbox, until=time.monotonic() + 60)
    asset.refresh_from_db()
    assert (asset.step_ms, asset.duration) == (1000, 100.0)
    assert [frame.at for frame in asset.frames.order_by("at")] == [float(second) for second in range(100)]
    assert Work.objects.get(asset=asset, step=Step.PREPARE).state == WorkState.DONE
    assert asset.notes[-1].startswith(
        "It is longer than it says: it was looked at up to 100 seconds, 100 frames in all"
    )


def test_the_way_to_the_rest_of_a_film_is_worth_going_on_for_as_long_again(
    harbour: Collection, fake_space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a film with one key frame everything before is decoded again by whoever goes on with it: if that was for a
    single chunk, the film would be decoded as often as it has chunks."""
    monkeypatch.setattr(stepping, "CHUNK_FRAMES", 5)
    asset = take_in(harbour, films.make_film(tmp_path / "film.mp4", films.scenes(4, 15.0, (64, 48)), fps=2, gop=999))
    clock = [0.0]
    monkeypatch.setattr("workers.films.time", SimpleNamespace(monotonic=lambda: clock[0]))

    class Slow(Sandbox):
        """Twenty-four seconds to the first chunk that it is asked for, and eight for each that follows."""

        first = True

        def read_stretch(self, *asked: Any, **options: Any) -> Any:
            clock[0] += 24 if self.first else 8
            self.first = False
            return super().read_stretch(*asked, **options)

    places = []
    for _ in range(3):
        with Slow(films=True) as sandbox:
            (one,) = claim(Step.PREPARE, "", 1, "me")
            prepare(one, sandbox, until=clock[0])
        places.append(Work.objects.get(asset=asset, step=Step.PREPARE).position)
    assert places == [5_000, 30_000, 55_000]  # one chunk from the beginning; five, for the way; and again


def test_where_the_way_is_long_the_rest_is_done_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.films.time", SimpleNamespace(monotonic=lambda: 1000.0))
    assert [as_long_again(1000.0 - way) for way in (2, 29, 60, 240)] == [1002.0, 1029.0, 1400.0, 1400.0]


def test_the_further_a_chunk_lies_the_longer_it_may_take() -> None:
    assert [patience(position) for position in (0, 1_800_000, 36_000_000)] == [120.0, 180.0, 240.0]


def test_whoever_reviews_sees_the_moment_that_was_flagged_and_not_only_the_start_of_its_shot(
    harbour: Collection, fake_space: Space, alice: User, client: Client, tmp_path: Path
) -> None:
    asset = take_in(harbour, films.make_film(tmp_path / "film.mp4", films.scenes(2, 5.0)))
    work()
    weapon = Concept.objects.create(slug="weapon", name="weapon", kind=ConceptKind.PROHIBITED)
    seconds = dict(Frame.objects.filter(asset=asset).values_list("at", "pk"))
    moments = [{"frame": seconds[at], "at": at, "start": at, "end": at, "score": 3.0} for at in (5.0, 8.0)]
    raise_flags(fake_space, [Doubt(asset.pk, weapon.pk, 3.0, hides=True, moments=moments)])
    address = f"/review/{Flag.objects.get().pk}/picture/?frame="
    client.force_login(alice)
    for at, kind in ((5.0, "webp"), (8.0, "jpeg")):
        assert client.get(f"{address}{seconds[at]}").headers["Content-Type"] == "image/webp"
        clear = client.get(f"{address}{seconds[at]}&clear=1")
        assert clear.headers["Content-Type"] == f"image/{kind}"
        assert Image.open(BytesIO(clear.content)).format == kind.upper()
    assert client.get(f"{address}{seconds[7.0]}").status_code == 404  # no moment of it
    default_storage.delete(asset.renditions.get(spec="frames-0").key)
    clear = client.get(f"{address}{seconds[8.0]}&clear=1")
    assert clear.content == default_storage.open(Frame.objects.get(asset=asset, at=5.0).still).read()

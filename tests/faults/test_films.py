"""Workers that are killed in the middle of a long video: it goes on, and no second is missing or double."""

from __future__ import annotations

import io
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import av
import numpy as np
import pytest

from archive.incoming import receive_file
from archive.ingest import ingest_file
from archive.models import Asset, ClipEmbedding, Collection, Embedding, Frame, Space, Status, Step, Work, WorkState
from archive.vectors import read_vectors
from archive.video.packs import packs_of, read_frames
from archive.video.shots import part, threshold_of
from tests import films
from tests.faults.workers import Fleet, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

SECONDS = 1500
KILLS = ((Step.PREPARE, 0), (Step.PREPARE, 300), (Step.ENCODE, 100), (Step.ENCODE, 500), (Step.ENCODE, 900))


def all_settled() -> bool:
    return not Work.objects.filter(state__in=(WorkState.READY, WorkState.RUNNING)).exists()


def test_a_video_goes_on_where_killed_workers_left_it(tmp_path: Path, harbour: Collection, fake_space: Space) -> None:
    path = films.make_film(tmp_path / "long.mp4", films.scenes(SECONDS // 10, 10.0, (96, 64)), fps=4, gop=40)
    asset = ingest_file(receive_file(path), collection=harbour, uploader=None, filename="long.mp4").asset
    with Fleet(tmp_path, DRILL_SECONDS_A_PICTURE="0.015") as fleet:
        fleet.start("media", "encode", "beat")
        killed = [kill_behind(asset, step, second) for step, second in KILLS]
        assert not all_settled()
        wait_for(all_settled, 200, "the whole video is encoded")
    print(f"killed at {killed}")
    assert all(0 < at < SECONDS for _, at in killed)
    asset.refresh_from_db()
    assert (asset.status, asset.error) == (Status.READY, "")
    assert_no_second_is_missing_or_double(asset, fake_space)


def kill_behind(asset: Asset, step: Step, second: int) -> tuple[str, float]:
    """kill -9 of whoever holds this step of the video, once it is further than `second`; returns where it was."""
    work = Work.objects.filter(asset=asset, step=step, state=WorkState.RUNNING, position__gt=second * 1000)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        held = work.values_list("worker", "position").first()
        if held is not None and held[1] is not None:
            with suppress(ProcessLookupError):  # killed before: its lease still runs
                os.kill(int(held[0].rsplit(":", 1)[1]), signal.SIGKILL)
                return str(step), held[1] / 1000
        time.sleep(0.02)
    raise AssertionError(f"{step} never got further than {second}")


def assert_no_second_is_missing_or_double(asset: Asset, space: Space) -> None:
    frames = list(Frame.objects.filter(asset=asset).order_by("at"))
    assert [frame.at for frame in frames] == [float(second) for second in range(SECONDS)]
    assert Embedding.objects.filter(asset=asset).count() == SECONDS
    assert set(Work.objects.values_list("state", "token")) == {(WorkState.DONE, None)}
    assert [first for first, _ in packs_of(asset.pk)] == [1000 * second for second in range(0, SECONDS, 60)]
    assert len(read_frames(asset.pk, [1000 * second for second in range(SECONDS)])) == SECONDS
    # Parted in pieces, by many hands, it came out as it does at once.
    rows = read_vectors(space, [asset.pk])
    place = {frame: number for number, frame in enumerate(rows.frames)}
    vectors = rows.vectors[[place[frame.pk] for frame in frames]]
    begins = part(None, [frame.at for frame in frames], vectors, threshold_of(space))
    stored = set(Embedding.objects.filter(asset=asset, representative=True).values_list("frame_id", flat=True))
    assert stored == {frame.pk for frame, new in zip(frames, begins, strict=True) if new}
    moments = [frame for frame in frames if frame.representative]
    assert {frame.pk for frame in moments} == stored
    assert [frame.end for frame in moments] == [frame.start for frame in moments[1:]] + [float(SECONDS)]
    assert all(frame.still for frame in moments)
    clip = np.asarray(ClipEmbedding.objects.get(space=space, asset=asset).vector, dtype=np.float32)
    mean = vectors.mean(axis=0)
    assert clip @ mean / np.linalg.norm(mean) > 0.999


def test_a_film_whose_maker_is_killed_plays_without_a_gap(
    tmp_path: Path, harbour: Collection, fake_space: Space
) -> None:
    """What browsers do not play is made in pieces: kill -9 between them, twice."""
    path = films.make_film(tmp_path / "long.avi", films.scenes(30, 10.0, (96, 64)), fps=4, gop=40)
    asset = ingest_file(receive_file(path), collection=harbour, uploader=None, filename="long.avi").asset
    with Fleet(tmp_path) as fleet:
        fleet.start("media", "encode", "beat")
        killed = [kill_behind(asset, Step.PLAY, second) for second in (0, 100)]
        wait_for(all_settled, 100, "the whole video is made playable")
    print(f"killed at {killed}")
    assert all(0 < at < 300 for _, at in killed)
    assert set(asset.renditions.filter(spec__startswith="play").values_list("spec", flat=True)) == {"playable"}
    made = asset.renditions.get(spec="playable")
    with av.open(io.BytesIO(made.read()), "r") as film:
        times = [float(frame.time) for frame in film.decode(video=0)]
    assert np.allclose(times, np.arange(1200) / 4, atol=0.03)

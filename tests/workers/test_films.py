"""Videos through the workers: frames and vectors chunk by chunk, shots, stills, and what a crash leaves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from archive.incoming import receive_file
from archive.ingest import ingest_file
from archive.models import Asset, ClipEmbedding, Collection, Embedding, Frame, Kind, Space, Status
from tests import films
from workers.encode import drain_encode
from workers.prepare import drain_prepare

pytestmark = pytest.mark.django_db(transaction=True)


def take_in(collection: Collection, path: Path) -> Asset:
    return ingest_file(receive_file(path), collection=collection, uploader=None, filename=path.name).asset


def work() -> None:
    while drain_prepare(60) or drain_encode(60):
        pass
    drain_encode(60)


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

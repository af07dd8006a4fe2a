"""Videos by the index: the representatives lead to the right videos, and the best frame of each decides exactly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection

from archive.models import Asset, ClipEmbedding, Collection, Frame, Kind, Space, Status
from archive.spaces import activate, build_index
from archive.vectors import store_vectors
from search import neighbours
from search.moments import Aim, best_moments
from search.neighbours import find_neighbours
from tests.prepared import random_rows
from workers.spaces import make_space

pytestmark = pytest.mark.django_db
VIDEOS, SHOTS, FRAMES = 300, 5, 6  # frames a shot


@dataclass(frozen=True)
class Cinema:
    space: Space
    collection: Collection


@pytest.fixture(scope="module")
def cinema(django_db_setup: None, django_db_blocker: Any) -> Iterator[Cinema]:
    """Made once and committed: an index cannot be built concurrently inside a test's transaction."""
    with django_db_blocker.unblock():
        keeper = User.objects.create(username="projectionist")
        hall = Collection.objects.create(slug="cinema", name="Cinema", owner=keeper)
        space = make_space("cinema", "fake")
        activate(space, even_if_partial=True)
        fill(space, hall)
        before, settings.SIGHTLINE_INDEX_FROM = settings.SIGHTLINE_INDEX_FROM, 1000
        assert build_index(space)
        settings.SIGHTLINE_INDEX_FROM = before
    yield Cinema(space, hall)
    with django_db_blocker.unblock():
        Asset.objects.filter(collection=hall).delete()
        hall.delete()
        with connection.cursor() as cursor:
            for table in ("archive_embedding", "archive_clipembedding"):
                cursor.execute(f"DROP TABLE {table}_{space.pk}")
        space.delete()
        keeper.delete()


def fill(space: Space, hall: Collection) -> None:
    """Films of five shots; the frames of a shot drift away from the one that stands for it."""
    films = Asset.objects.bulk_create(
        Asset(
            collection=hall,
            kind=Kind.VIDEO,
            sha256=f"{n:064}",
            original=f"originals/film-{n}",
            filename=f"film-{n}.mp4",
            media_type="video/mp4",
            size=1,
            status=Status.READY,
            duration=SHOTS * FRAMES,
        )
        for n in range(VIDEOS)
    )
    frames = [
        Frame(
            asset=film,
            at=at,
            representative=at % FRAMES == 0,
            start=at if at % FRAMES == 0 else None,
            end=at + FRAMES if at % FRAMES == 0 else None,
        )
        for film in films
        for at in range(SHOTS * FRAMES)
    ]
    made = Frame.objects.bulk_create(frames)
    shots = random_rows(VIDEOS * SHOTS, seed=1)
    dice = np.random.default_rng(2)
    drift = dice.normal(size=(len(made), 768)).astype(np.float32) / np.sqrt(768)
    rows = np.repeat(shots, FRAMES, axis=0) + 0.45 * drift * (np.arange(len(made)) % FRAMES > 0)[:, None]
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    for i in range(0, len(made), 3000):
        part = made[i : i + 3000]
        store_vectors(space, [one.pk for one in part], [one.asset_id for one in part], rows[i : i + 3000])
    means = rows.reshape(VIDEOS, -1, 768).mean(axis=1)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    ClipEmbedding.objects.bulk_create(
        ClipEmbedding(space=space, asset=film, vector=mean.tolist()) for film, mean in zip(films, means, strict=True)
    )


def test_the_index_finds_nearly_all_of_the_right_videos(cinema: Cinema, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = off")
    monkeypatch.setattr(neighbours, "gate_threshold", lambda rows: 50)
    films = Asset.objects.filter(collection=cinema.collection)
    shares = []
    for query in random_rows(30, seed=4):
        by_index = find_neighbours(cinema.space, query, films, 20)
        assert (by_index.plan, len(by_index.neighbours)) == ("hnsw", 20)
        exact = find_neighbours(cinema.space, query, films, 20, exact=True)
        assert len({one.asset_id for one in exact.neighbours}) == 20
        distances = {one.asset_id: (one.frame_id, one.distance) for one in exact.neighbours}
        found = [one for one in by_index.neighbours if one.asset_id in distances]
        # Whatever is found is scored by its best frame, exactly.
        for one in found:
            frame, distance = distances[one.asset_id]
            assert one.frame_id == frame
            assert one.distance == pytest.approx(distance)
        shares.append(len(found) / 20)
    assert np.mean(shares) >= 0.97


def test_the_best_moment_of_a_video_is_the_score_by_which_it_was_found(cinema: Cinema) -> None:
    films = Asset.objects.filter(collection=cinema.collection)
    query = random_rows(1, seed=11)[0]
    found = find_neighbours(cinema.space, query, films, 40).neighbours
    moments = best_moments(Aim(cinema.space, query), [one.asset_id for one in found])
    for one in found:
        best = moments[one.asset_id][0]
        assert best.score == pytest.approx(-one.distance, abs=1e-4)
        assert best.start <= Frame.objects.get(pk=one.frame_id).at < best.end


def test_the_gate_counts_frames_and_not_films(cinema: Cinema, monkeypatch: pytest.MonkeyPatch) -> None:
    """300 films are few, their 9,000 frames are not: from how many films on the index is asked follows from that."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE archive_asset")
        cursor.execute(f"ANALYZE archive_embedding_{cinema.space.pk}")
        cursor.execute("SET LOCAL enable_sort = off")
    assert neighbours.frames_an_asset(VIDEOS * SHOTS * FRAMES) == pytest.approx(SHOTS * FRAMES, rel=0.2)
    films = Asset.objects.filter(collection=cinema.collection)
    for threshold, plan in ((VIDEOS * SHOTS * FRAMES * 2, "exact"), (VIDEOS * SHOTS * FRAMES // 2, "hnsw")):
        cache.clear()
        monkeypatch.setattr(neighbours, "gate_threshold", lambda rows, fixed=threshold: fixed)
        assert find_neighbours(cinema.space, random_rows(1)[0], films, 20).plan == plan


@pytest.fixture
def shapes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """In which shapes the statement is run, where more than 50 frames go by the index."""
    asked: list[str] = []
    run = neighbours.Wanted.run

    def noted(self: neighbours.Wanted, shape: str, threshold: int = 0) -> neighbours.Found:
        asked.append(shape)
        return run(self, shape, threshold)

    cache.clear()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE archive_asset")
        cursor.execute("SET LOCAL enable_sort = off")
    monkeypatch.setattr(neighbours.Wanted, "run", noted)
    monkeypatch.setattr(neighbours, "gate_threshold", lambda rows: 50)
    return asked


def test_more_films_than_exist_are_ranked_by_their_shots_and_not_by_all_frames(
    cinema: Cinema, shapes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the nearest are scored by their best frame: of the longest films, more would take too long."""
    monkeypatch.setattr(neighbours, "FRAMES_RESCORED", 0)
    monkeypatch.setattr(neighbours, "LEAST_RESCORED", 100)
    films = Asset.objects.filter(collection=cinema.collection)
    query = random_rows(1, seed=12)[0]
    found = find_neighbours(cinema.space, query, films, 1000)
    assert shapes == ["shots"]
    assert (found.plan, len(found.neighbours)) == ("shots", VIDEOS)
    assert [one.distance for one in found.neighbours] == sorted(one.distance for one in found.neighbours)
    exact = find_neighbours(cinema.space, query, films, 1000, exact=True).neighbours
    best = {one.asset_id: one for one in exact}
    assert len({one.asset_id for one in exact[:20]} & {one.asset_id for one in found.neighbours[:20]}) >= 19
    right = [one for one in found.neighbours if (one.frame_id, one.distance) == _told(best[one.asset_id])]
    assert len(right) >= 100  # and by chance, films whose best frame stands for its shot
    for one in found.neighbours:
        assert one.distance >= best[one.asset_id].distance


def _told(one: neighbours.Neighbour) -> tuple[int, float]:
    return one.frame_id, one.distance


def test_of_many_films_the_index_gives_the_nearest_and_only_some_are_read_whole(
    cinema: Cinema, shapes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "FRAMES_RESCORED", 0)
    monkeypatch.setattr(neighbours, "LEAST_RESCORED", 60)
    films = Asset.objects.filter(collection=cinema.collection)
    found = find_neighbours(cinema.space, random_rows(1, seed=13)[0], films, 200)
    exact = find_neighbours(cinema.space, random_rows(1, seed=13)[0], films, 200, exact=True).neighbours
    assert shapes == ["counted", "exact"]
    assert (found.plan, len(found.neighbours)) == ("hnsw", 200)
    assert len({one.asset_id for one in exact[:20]} & {one.asset_id for one in found.neighbours[:20]}) >= 19
    assert _told(found.neighbours[0]) == _told(exact[0])


def test_few_frames_are_compared_exactly_whatever_the_limit(
    cinema: Cinema, shapes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "gate_threshold", lambda rows: VIDEOS * SHOTS * FRAMES * 2)
    films = Asset.objects.filter(collection=cinema.collection)
    assert find_neighbours(cinema.space, random_rows(1)[0], films, 1000).plan == "exact"
    assert shapes == ["exact"]

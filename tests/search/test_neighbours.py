"""The one nearest-neighbour statement: right, permitted, complete, and by the plan that it claims."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from archive.models import Asset, Collection, Frame, Kind, Space
from archive.spaces import activate, build_index, index_state
from archive.vectors import store_vectors
from search import neighbours
from search.failures import TooSlow
from search.neighbours import find_neighbours
from tests.prepared import Rows, make_encoded, random_rows
from workers.spaces import make_space

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Gallery:
    """A space with an index: 3,000 assets that all may be searched, 60 of them in a corner far from the rest."""

    space: Space
    keeper: User
    rows: Rows
    ids: list[int]
    corner: Collection

    def nearest(self, vector: Rows, count: int) -> list[int]:
        """By brute force over what Postgres holds: half floats."""
        held = self.rows.astype(np.float16).astype(np.float32)
        return [self.ids[i] for i in np.argsort(-(held @ vector.astype(np.float16).astype(np.float32)))[:count]]


@pytest.fixture(scope="module")
def gallery(django_db_setup: None, django_db_blocker: Any) -> Iterator[Gallery]:
    """Made once and committed: an index cannot be built concurrently inside a test's transaction."""
    with django_db_blocker.unblock():
        keeper = User.objects.create(username="keeper")
        hall = Collection.objects.create(slug="hall", name="Hall", owner=keeper)
        corner = Collection.objects.create(slug="corner", name="Corner", owner=keeper)
        space = make_space("gallery", "fake")
        activate(space, even_if_partial=True)
        rows = random_rows(3000)
        rows[2940:] = -rows[0] + random_rows(60, seed=9) * 0.2
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        assets = make_encoded(hall, space, rows[:2940]) + make_encoded(corner, space, rows[2940:])
        before, settings.SIGHTLINE_INDEX_FROM = settings.SIGHTLINE_INDEX_FROM, 1000
        assert build_index(space)
        settings.SIGHTLINE_INDEX_FROM = before
    yield Gallery(space, keeper, rows, [asset.pk for asset in assets], corner)
    with django_db_blocker.unblock():
        Asset.objects.filter(collection__in=(hall, corner)).delete()
        hall.delete()
        corner.delete()
        with connection.cursor() as cursor:
            for table in ("archive_embedding", "archive_clipembedding"):
                cursor.execute(f"DROP TABLE {table}_{space.pk}")
        space.delete()
        keeper.delete()


@pytest.fixture
def low_gate(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Search by the index from 50 candidates on, not from 20,000.

    So few rows Postgres would rather sort, so for the length of the test it may not.
    """
    cache.clear()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = off")
    monkeypatch.setattr(neighbours, "gate_threshold", lambda rows: 50)
    monkeypatch.setattr(neighbours.Wanted, "within_ms", 60_000)  # a plan that Postgres would not choose takes its time


def explained(gallery: Gallery, candidates: Any) -> str:
    """How Postgres really ran the statement for these candidates."""
    with CaptureQueriesContext(connection) as queries:
        find_neighbours(gallery.space, gallery.rows[0], candidates, 20)
    (statement,) = (q["sql"] for q in queries if "<#>" in q["sql"])
    (settings_,) = (q["sql"] for q in queries if "hnsw.ef_search" in q["sql"])
    with connection.cursor() as cursor:
        cursor.execute(settings_)
        cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF, BUFFERS OFF, TIMING OFF) {statement}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    return re.sub(r"'\[[^']*\]'", "QUERY", plan)


def test_an_exact_answer_is_that_of_brute_force(gallery: Gallery) -> None:
    for query in random_rows(10, seed=3):
        found = find_neighbours(gallery.space, query, Asset.objects.all(), 50, exact=True)
        assert found.plan == "exact"
        assert [n.asset_id for n in found.neighbours[:5]] == gallery.nearest(query, 5)
        # Half floats round: neighbours that lie closer together than that may change places.
        assert len(set(gallery.nearest(query, 50)) & {n.asset_id for n in found.neighbours}) >= 49
        distances = [n.distance for n in found.neighbours]
        assert distances == sorted(distances)
        position = {pk: i for i, pk in enumerate(gallery.ids)}
        for one in found.neighbours:
            assert -one.distance == pytest.approx(float(gallery.rows[position[one.asset_id]] @ query), abs=2e-3)


def test_the_index_finds_nearly_all_of_the_exact_answer(gallery: Gallery, low_gate: None) -> None:
    shares = []
    for query in random_rows(20, seed=4):
        by_index = find_neighbours(gallery.space, query, Asset.objects.all(), 50)
        assert (by_index.plan, len(by_index.neighbours)) == ("hnsw", 50)
        exact = find_neighbours(gallery.space, query, Asset.objects.all(), 50, exact=True)
        same = {n.asset_id for n in by_index.neighbours} & {n.asset_id for n in exact.neighbours}
        shares.append(len(same) / 50)
    assert np.mean(shares) >= 0.97


def test_many_candidates_go_by_the_index_and_the_exact_branch_is_never_executed(
    gallery: Gallery, low_gate: None
) -> None:
    plan = explained(gallery, Asset.objects.all())
    used = re.search(rf"Index Scan using archive_embedding_{gallery.space.pk}_hnsw.*\n", plan)
    assert used is not None, plan
    assert "never executed" not in used.group()
    # Of the three places that read the vectors, only the exact branch reads whatever the candidates are.
    table = f"archive_embedding_{gallery.space.pk}"
    assert re.search(rf"One-Time Filter.*<= 50\)\n(?:.*\n){{0,12}}?.*Scan.* on {table} e \(never executed\)", plan), (
        plan
    )


def test_few_candidates_go_exactly_and_the_index_is_never_touched(gallery: Gallery, low_gate: None) -> None:
    few = Asset.objects.filter(pk__in=gallery.ids[:40])
    plan = explained(gallery, few)
    line = next((line for line in plan.splitlines() if f"archive_embedding_{gallery.space.pk}_hnsw" in line), None)
    assert line is None or "never executed" in line, plan


def test_a_space_without_an_index_is_searched_exactly(harbour: Collection, fake_space: Space) -> None:
    make_encoded(harbour, fake_space, random_rows(100))
    assert not index_state(fake_space).valid
    assert find_neighbours(fake_space, random_rows(1)[0], Asset.objects.all(), 10).plan == "exact"


def test_a_small_space_gets_no_index(harbour: Collection, fake_space: Space) -> None:
    make_encoded(harbour, fake_space, random_rows(10))
    assert build_index(fake_space) is False


@pytest.mark.parametrize("limit", [1, 20, 60, 100])
def test_never_fewer_rows_than_exist_although_the_index_gives_up(
    gallery: Gallery, low_gate: None, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """All candidates lie at the other end of the space, and the scan of the index ends after a few rows."""
    monkeypatch.setattr(neighbours, "SCAN_TUPLES", 1)
    monkeypatch.setattr(neighbours, "EF_LEAST", 1)
    monkeypatch.setattr(neighbours, "EF_MOST", 1)
    far = Asset.objects.filter(collection=gallery.corner)
    for _ in range(2):  # the second time, what was learnt the first time is used
        found = find_neighbours(gallery.space, gallery.rows[0], far, limit)
        assert len(found.neighbours) == min(limit, 60)
        exact = find_neighbours(gallery.space, gallery.rows[0], far, limit, exact=True)
        assert len(exact.neighbours) == min(limit, 60)


def test_where_the_index_found_all_that_exist_nothing_is_compared_again(
    gallery: Gallery, low_gate: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    run = neighbours.Wanted.run

    def noted(self: neighbours.Wanted, shape: str, threshold: int = 0) -> neighbours.Found:
        asked.append(shape)
        return run(self, shape, threshold)

    monkeypatch.setattr(neighbours.Wanted, "run", noted)
    some = Asset.objects.filter(pk__in=gallery.ids[:300])
    found = find_neighbours(gallery.space, gallery.rows[0], some, 400)
    assert {n.asset_id for n in found.neighbours} == set(gallery.ids[:300])
    assert "exact" not in asked


def test_a_statement_that_takes_too_long_is_stopped_and_says_so(db: None) -> None:
    with pytest.raises(TooSlow, match="took too long"), neighbours.limited_to(50) as cursor:
        cursor.execute("SELECT pg_sleep(5)")
    with neighbours.limited_to(50) as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("50ms",)
    with connection.cursor() as cursor:  # inside the same transaction
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


def test_more_than_exist_is_all_that_exist(gallery: Gallery, low_gate: None) -> None:
    found = find_neighbours(gallery.space, gallery.rows[0], Asset.objects.all(), 5000)
    assert {n.asset_id for n in found.neighbours} == set(gallery.ids)


def test_what_may_not_be_seen_is_no_neighbour(gallery: Gallery, low_gate: None, bob: User) -> None:
    assert find_neighbours(gallery.space, gallery.rows[0], Asset.objects.visible_to(bob), 20).neighbours == []
    mine = Collection.objects.create(slug="mine", name="Mine", owner=bob)
    Asset.objects.filter(pk__in=gallery.ids[7:10]).update(collection=mine)
    found = find_neighbours(gallery.space, gallery.rows[0], Asset.objects.visible_to(bob), 20)
    assert {n.asset_id for n in found.neighbours} == set(gallery.ids[7:10])


def test_a_permission_that_was_given_or_taken_counts_at_once(gallery: Gallery, low_gate: None, bob: User) -> None:
    mine = Collection.objects.create(slug="mine", name="Mine", owner=bob)
    Asset.objects.filter(pk__in=gallery.ids[:100]).update(collection=mine)
    assert len(find_neighbours(gallery.space, gallery.rows[0], Asset.objects.visible_to(bob), 200).neighbours) == 100
    Asset.objects.filter(pk__in=gallery.ids[:98]).update(collection=gallery.corner)
    left = find_neighbours(gallery.space, gallery.rows[0], Asset.objects.visible_to(bob), 200)
    assert {n.asset_id for n in left.neighbours} == set(gallery.ids[98:100])


def test_a_video_is_one_neighbour_by_its_best_frame(harbour: Collection, fake_space: Space) -> None:
    rows = random_rows(6, seed=5)
    (video,) = make_encoded(harbour, fake_space, rows[:1], prefix="video")
    Asset.objects.update(kind=Kind.VIDEO)
    frames = [Frame.objects.create(asset=video, at=at) for at in (1.0, 2.0)]
    store_vectors(fake_space, [f.pk for f in frames], [video.pk], rows[1:3])
    make_encoded(harbour, fake_space, rows[3:])
    found = find_neighbours(fake_space, rows[2], Asset.objects.all(), 10).neighbours
    assert len(found) == 4
    assert (found[0].asset_id, found[0].frame_id) == (video.pk, frames[1].pk)


def test_vectors_of_another_space_are_no_neighbours(harbour: Collection, fake_space: Space) -> None:
    other = make_space("other", "fake", "another")
    make_encoded(harbour, other, random_rows(5))
    assert find_neighbours(fake_space, random_rows(1)[0], Asset.objects.all(), 10).neighbours == []


@pytest.mark.django_db(transaction=True)
def test_settings_of_the_search_do_not_leak_into_the_connection(harbour: Collection, fake_space: Space) -> None:
    make_encoded(harbour, fake_space, random_rows(5))
    find_neighbours(fake_space, random_rows(1)[0], Asset.objects.all(), 10)
    with connection.cursor() as cursor:
        for name, usual in (("hnsw.ef_search", "40"), ("hnsw.iterative_scan", "off"), ("plan_cache_mode", "auto")):
            cursor.execute(f"SHOW {name}")
            assert cursor.fetchone() == (usual,)


def test_a_stored_vector_is_that_of_the_asset(harbour: Collection, fake_space: Space) -> None:
    rows = random_rows(2)
    one, other = make_encoded(harbour, fake_space, rows)
    stored = neighbours.stored_vector(fake_space, one)
    assert stored is not None
    assert np.allclose(stored, rows[0], atol=1e-3)
    Asset.objects.filter(pk=other.pk).delete()
    assert neighbours.stored_vector(fake_space, other) is None

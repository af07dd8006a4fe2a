"""Videos in a search: found by their best frame, opened at its second, with the other shots that match."""

from __future__ import annotations

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection

from archive.models import Asset, Collection, Embedding, Frame, Kind, Space
from search import neighbours
from search.engine import search
from search.failures import UnknownAsset
from search.hits import Moment
from search.moments import Aim, best_moments, closeness_by_second
from search.neighbours import Found, find_neighbours
from search.query import BadQuery, Order, Query
from tests.prepared import Rows, Shot, make_encoded, make_video, random_rows
from workers import client

pytestmark = pytest.mark.django_db


def word(space: Space, text: str) -> Rows:
    return client.encode_text(space, text).vector


def unit(vector: Rows) -> Rows:
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


@pytest.fixture
def film(harbour: Collection, fake_space: Space, queries_in_process: None) -> Asset:
    """Ten seconds each of red, green, blue, red once more; and photos beside it."""
    make_encoded(harbour, fake_space, random_rows(40, seed=5))
    colours = [word(fake_space, colour) for colour in ("red", "green", "blue", "red")]
    return make_video(harbour, fake_space, [Shot(colour, 10) for colour in colours])


def test_a_video_is_one_hit_that_opens_at_its_best_frame_and_lists_its_shots(film: Asset, bob: User) -> None:
    answer = search(Query(text="green"), bob)
    (hit,) = [hit for hit in answer.hits if hit.asset == film]
    assert hit.rank == 1
    assert 10 <= hit.moments[0].at < 20
    assert (hit.moments[0].start, hit.moments[0].end) == (10, 20)
    assert hit.score == hit.moments[0].score == max(one.score for one in hit.moments)
    assert [one.score for one in hit.moments] == sorted((one.score for one in hit.moments), reverse=True)
    spans = sorted((one.start, one.end) for one in hit.moments)
    assert spans == [(0, 10), (10, 20), (20, 30), (30, 40)]


def test_the_best_frame_decides_whether_or_not_it_stands_for_its_shot(
    film: Asset, bob: User, fake_space: Space
) -> None:
    wanted = word(fake_space, "purple")
    frame = Frame.objects.get(asset=film, at=17)
    assert not frame.representative
    Embedding.objects.filter(frame=frame).update(vector=wanted.tolist())
    hit = search(Query(text="purple"), bob).hits[0]
    assert (hit.asset, hit.moments[0].at, hit.moments[0].start) == (film, 17, 10)
    assert hit.score == pytest.approx(1.0, abs=2e-3)


def test_what_is_said_of_moments_is_what_brute_force_says(film: Asset, fake_space: Space) -> None:
    wanted = unit(word(fake_space, "red") + 0.3 * random_rows(1, seed=8)[0])
    rows = dict(Embedding.objects.filter(asset=film).values_list("frame__at", "vector"))
    scores = {at: float(np.float32(vector.to_list() if hasattr(vector, "to_list") else vector) @ wanted)
              for at, vector in rows.items()}  # fmt: skip
    seconds = closeness_by_second(Aim(fake_space, wanted), film.pk)
    assert [at for at, _ in seconds] == sorted(scores)
    assert [score for _, score in seconds] == pytest.approx([scores[at] for at in sorted(scores)], abs=2e-3)
    moments = best_moments(Aim(fake_space, wanted), [film.pk])[film.pk]
    for moment in moments:
        within = {at: score for at, score in scores.items() if moment.start <= at < moment.end}
        assert moment.score == pytest.approx(max(within.values()), abs=2e-3)
        assert within[moment.at] == pytest.approx(moment.score, abs=2e-3)


def test_a_shot_opens_where_it_begins_to_be_as_good_as_at_its_best(film: Asset, fake_space: Space) -> None:
    """The best of ten seconds is the eighth, and the third is hardly worse."""
    wanted = word(fake_space, "purple")
    for second, share in ((13, 0.98), (18, 1.0), (15, 0.9)):
        seen = unit(share * wanted + (1 - share) * random_rows(1, seed=3)[0])
        Embedding.objects.filter(frame__asset=film, frame__at=second).update(vector=seen.tolist())
    for slack, at in ((0.0, 18), (0.01, 13)):
        moment = best_moments(Aim(fake_space, wanted, slack=slack), [film.pk])[film.pk][0]
        assert (moment.start, moment.at) == (10, at)
        assert moment.score == pytest.approx(1.0, abs=2e-3)


def test_no_more_moments_than_can_be_looked_at_unless_one_looks_inside_the_video(
    harbour: Collection, fake_space: Space, bob: User, queries_in_process: None
) -> None:
    long = make_video(harbour, fake_space, [Shot(row, 3) for row in random_rows(30, seed=2)])
    assert len(search(Query(text="red"), bob).hits[0].moments) == 8
    inside = search(Query(text="red", within=long.uuid), bob)
    assert [hit.asset for hit in inside.hits] == [long]
    assert len(inside.hits[0].moments) == 30
    assert len(search(Query(text="red", within=long.uuid, limit=5), bob).hits[0].moments) == 5


def test_leaving_out_looks_for_a_moment_without_it(
    harbour: Collection, fake_space: Space, bob: User, queries_in_process: None
) -> None:
    """A boat with people, and later the boat alone: without people is the second."""
    make_encoded(harbour, fake_space, random_rows(40, seed=5))
    boat, people = word(fake_space, "boat"), word(fake_space, "people")
    film = make_video(
        harbour, fake_space, [Shot(unit(boat + 0.9 * people), 5), Shot(unit(boat + 0.95 * random_rows(1)[0]), 5)]
    )
    assert search(Query(text="boat"), bob).hits[0].moments[0].start in (0, 5)
    hit = search(Query(text="boat", without="people"), bob).hits[0]
    assert (hit.asset, hit.moments[0].start) == (film, 5)
    assert hit.score == hit.moments[0].score


def test_more_like_this_moment_and_not_like_the_whole_video(
    film: Asset, harbour: Collection, fake_space: Space, bob: User
) -> None:
    only_green = make_video(harbour, fake_space, [Shot(word(fake_space, "green"), 6)], "green.mp4")
    only_blue = make_video(harbour, fake_space, [Shot(word(fake_space, "blue"), 6)], "blue.mp4")
    for second, expected in ((13.4, only_green), (26, only_blue)):
        answer = search(Query(like=film.uuid, at=second, limit=3), bob)
        assert answer.hits[0].asset == expected
        assert film not in {hit.asset for hit in answer.hits}
    # Inside the same video it is what looks like this second there.
    (hit,) = search(Query(like=film.uuid, at=35, within=film.uuid), bob).hits
    assert {one.start for one in hit.moments[:2]} == {0, 30}


def test_a_later_page_opens_its_videos_at_the_right_second_too(
    film: Asset, harbour: Collection, fake_space: Space, bob: User
) -> None:
    for n in range(5):
        make_video(
            harbour, fake_space, [Shot(random_rows(1, seed=n)[0], 4), Shot(word(fake_space, "red"), 4)], f"{n}.mp4"
        )
    first = search(Query(text="red", limit=3), bob)
    second = search(Query(text="red", limit=3, offset=3, cursor=first.cursor), bob)
    videos = [hit for hit in second.hits if hit.asset.filename != "film.mp4" and hit.asset.kind == Kind.VIDEO]
    assert videos
    assert all(4 <= hit.moments[0].at < 8 for hit in videos)


def test_a_photo_has_its_one_moment_at_nought(film: Asset, bob: User) -> None:
    photo = next(hit for hit in search(Query(text="red"), bob).hits if hit.asset.kind == Kind.PHOTO)
    assert photo.moments == (Moment(0.0, 0.0, 0.0, photo.score, photo.well),)


def test_a_video_of_others_is_as_if_there_were_none(film: Asset, visitor: User) -> None:
    for query in (Query(text="red", within=film.uuid), Query(like=film.uuid, at=3), Query(within=film.uuid)):
        with pytest.raises(UnknownAsset):
            search(query, visitor)


def test_words_inside_a_video_find_only_there_and_a_video_without_shots_has_frames(
    film: Asset, fake_space: Space, bob: User
) -> None:
    Frame.objects.filter(asset=film).update(start=None, end=None)
    (hit,) = search(Query(text="green", within=film.uuid, limit=100), bob).hits
    assert len(hit.moments) == 40
    assert 10 <= hit.moments[0].at < 20


def test_videos_are_sorted_and_filtered_by_how_long_they_take(
    film: Asset, harbour: Collection, fake_space: Space, bob: User
) -> None:
    short = make_video(harbour, fake_space, [Shot(word(fake_space, "red"), 4)], "short.mp4")
    for base in (Query(kind="video"), Query(kind="video", text="red", mode=Query.mode)):
        assert [h.asset for h in search(base.but(order=Order.LONGEST), bob).hits] == [film, short]
        assert [h.asset for h in search(base.but(order=Order.SHORTEST), bob).hits] == [short, film]
        assert [h.asset for h in search(base.but(longer=5.0), bob).hits] == [film]
        assert [h.asset for h in search(base.but(shorter=5.0), bob).hits] == [short]


def test_a_few_long_videos_do_not_starve_the_answer(
    harbour: Collection, fake_space: Space, bob: User, monkeypatch: pytest.MonkeyPatch, queries_in_process: None
) -> None:
    """One video holds the nearest 150 representatives. Ten assets were asked for, and the index is asked more widely
    before everything is compared."""
    red = word(fake_space, "red")
    crowd = make_video(harbour, fake_space, [Shot(red, 1) for _ in range(150)], "crowd.mp4")
    others = [make_video(harbour, fake_space, [Shot(row, 1)], f"{n}.mp4") for n, row in enumerate(random_rows(30))]
    asked: list[tuple[str, int, int]] = []
    run = neighbours.Wanted.run

    def noted(self: neighbours.Wanted, shape: str, threshold: int = 0) -> Found:
        found = run(self, shape, threshold)
        asked.append((shape, self.fetch, len(found.neighbours)))
        return found

    monkeypatch.setattr(neighbours.Wanted, "run", noted)
    monkeypatch.setattr(neighbours, "gate_threshold", lambda rows: 5)
    monkeypatch.setattr(neighbours, "index_state", lambda space: type("State", (), {"valid": True, "rows": 200})())
    cache.clear()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    for _ in range(2):
        found = find_neighbours(fake_space, red, Asset.objects.visible_to(bob), 10)
        assert found.plan == "hnsw"
        assert found.neighbours[0].asset_id == crowd.pk
        assert {n.asset_id for n in found.neighbours[1:]} <= {one.pk for one in others}
        assert len(found.neighbours) == 10
    # Too narrow once, then wide; and the second time as wide at once.
    assert asked == [("counted", 100, 1), ("hnsw", 800, 10), ("hnsw", 800, 10)]


def test_what_follows_needs_something_to_follow(film: Asset, bob: User) -> None:
    for query in (Query(then="red"), Query(also="red")):
        with pytest.raises(BadQuery, match="first"):
            search(query, bob)

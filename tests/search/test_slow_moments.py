"""Moments, strips and sequences that would take too long: they are stopped, and whoever asked is told."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from archive.models import Asset, Collection, Frame, Space
from search import moments, sequences
from search.engine import search
from search.failures import TooSlow
from search.inside import look_inside
from search.moments import Aim, best_frames, closeness_by_second
from search.pages import ONLY_THE_CLOSEST
from search.query import Query
from search.sequences import nearest_of_all, short_enough
from tests.prepared import Shot, make_encoded, make_video, random_rows
from workers import client as worker

pytestmark = pytest.mark.django_db
SAID = "This search took too long and was stopped"


@pytest.fixture
def film(harbour: Collection, fake_space: Space, queries_in_process: None) -> Asset:
    make_encoded(harbour, fake_space, random_rows(40, seed=5))
    shots = [Shot(worker.encode_text(fake_space, word).vector, 10) for word in ("red", "green", "blue")]
    return make_video(harbour, fake_space, shots)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that takes a second for each frame, and a tenth of a second for a statement."""
    score = Aim.score

    def slept(self: Aim, name: str = "aim") -> tuple[str, dict[str, Any]]:
        sql, params = score(self, name)
        return f"({sql} + length(pg_sleep(1)::text))", params

    monkeypatch.setattr(Aim, "score", slept)
    monkeypatch.setattr(moments, "WITHIN_MS", 100)


def test_each_statement_over_frames_is_stopped(film: Asset, fake_space: Space, slow: None) -> None:
    aim = Aim(fake_space, random_rows(1)[0])
    for ask in (lambda: best_frames(aim, [film.pk]), lambda: closeness_by_second(aim, film.pk)):
        with pytest.raises(TooSlow, match=SAID):
            ask()


def test_a_page_opens_its_videos_where_they_were_found_and_says_so(film: Asset, bob: User, slow: None) -> None:
    answer = search(Query(text="green"), bob)
    (hit,) = [hit for hit in answer.hits if hit.asset == film]
    (moment,) = hit.moments
    assert (moment.start, moment.end) == (10, 20)
    assert 10 <= moment.at < 20
    assert moment.score == hit.score
    assert answer.note == ONLY_THE_CLOSEST


def test_a_video_without_shots_opens_at_the_frame_itself(film: Asset, bob: User, slow: None) -> None:
    Frame.objects.filter(asset=film).update(start=None, end=None)
    (hit,) = [hit for hit in search(Query(text="green"), bob).hits if hit.asset == film]
    assert hit.moments[0].start == hit.moments[0].end == hit.moments[0].at
    assert 10 <= hit.at < 20


def test_with_time_enough_there_is_no_note(film: Asset, bob: User) -> None:
    answer = search(Query(text="green"), bob)
    (hit,) = [hit for hit in answer.hits if hit.asset == film]
    assert (len(hit.moments), answer.note) == (3, "")


@pytest.mark.parametrize("query", [Query(text="red", then="green"), Query(text="red", also="green")])
def test_a_sequence_is_not_half_answered(film: Asset, bob: User, slow: None, query: Query) -> None:
    with pytest.raises(TooSlow, match=SAID):
        search(query, bob)
    with pytest.raises(TooSlow):
        look_inside(query, film.uuid, bob)


def test_people_and_programs_are_told(film: Asset, bob: User, client: Client, slow: None) -> None:
    client.force_login(bob)
    for address in (f"/moments/{film.uuid}/?q=green", "/?q=red&then=green"):
        answer = client.get(address)
        assert answer.status_code == 503
        assert SAID in answer.content.decode()
    for address in (f"/api/v1/assets/{film.uuid}/moments?q=green", "/api/v1/search?q=red&then=green"):
        answer = client.get(address)
        assert answer.status_code == 503
        assert SAID in answer.content.decode()
        assert answer["Retry-After"] == "5"
        assert "too_slow" in answer.content.decode()


def test_a_sequence_looks_through_as_many_videos_as_there_is_time_for(
    harbour: Collection, fake_space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [make_video(harbour, fake_space, [Shot(row, 10)], f"{n}.mp4") for n, row in enumerate(random_rows(6))]
    ids = [asset.pk for asset in made]
    assert short_enough(ids, 2) == ids
    monkeypatch.setattr(sequences, "LEAST_VIDEOS", 1)
    monkeypatch.setattr(sequences, "MOST_FRAMES", 66)
    assert short_enough(ids, 1) == ids
    assert short_enough(ids, 2) == ids[:3]
    assert short_enough(ids[::-1], 3) == ids[:3:-1]
    monkeypatch.setattr(sequences, "LEAST_VIDEOS", 2)
    assert short_enough(ids, 60) == ids[:2]


def test_those_near_to_any_term_come_by_turns() -> None:
    assert nearest_of_all([[1, 2, 3, 4], [3, 5], []]) == [1, 3, 2, 5, 4]

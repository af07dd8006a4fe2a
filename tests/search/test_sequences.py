"""Sequences: one thing after another within so many seconds, or both somewhere in the same video."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from archive.models import Asset, Collection, Space
from search.alerts_asking import ask
from search.alerts_backtest import back_test
from search.alerts_inverse import find_matches, moments_of
from search.engine import search
from search.hints import find_hints
from search.hits import Hit
from search.query import BadQuery, Mode, Query
from tests.prepared import Shot, make_encoded, make_video, random_rows
from workers import client

pytestmark = pytest.mark.django_db
FILMS = {
    # What is shown, and for how many seconds.
    "soon.mp4": (("red", 5), ("noise", 20), ("green", 5)),
    "late.mp4": (("red", 5), ("noise", 90), ("green", 5)),
    "before.mp4": (("green", 5), ("noise", 20), ("red", 5)),
    "red.mp4": (("red", 5), ("noise", 20)),
    "three.mp4": (("green", 3), ("red", 4), ("noise", 6), ("green", 4), ("blue", 4)),
}


@pytest.fixture
def films(harbour: Collection, fake_space: Space, queries_in_process: None) -> dict[str, Asset]:
    make_encoded(harbour, fake_space, random_rows(60, seed=5))

    def shot(what: str, seconds: int, seed: int) -> Shot:
        seen = random_rows(1, seed=seed)[0] if what == "noise" else client.encode_text(fake_space, what).vector
        return Shot(seen, seconds)

    return {
        name: make_video(harbour, fake_space, [shot(*part, seed=n * 10 + m) for m, part in enumerate(parts)], name)
        for n, (name, parts) in enumerate(FILMS.items())
    }


def well(query: Query, user: User) -> dict[str, Hit]:
    return {hit.asset.filename: hit for hit in search(query, user).hits if hit.well}


def seconds(hit: Hit) -> list[float]:
    return [moment.start for moment in hit.moments]


def test_one_then_the_other_within_a_minute(films: dict[str, Asset], bob: User) -> None:
    found = well(Query(text="red", then="green"), bob)
    assert set(found) == {"soon.mp4", "three.mp4"}
    assert seconds(found["soon.mp4"]) == [0, 25]
    assert seconds(found["three.mp4"]) == [3, 13]
    assert all(0 <= m.at - m.start < 5 for m in found["soon.mp4"].moments)


@pytest.mark.parametrize(("pause", "found"), [(19.9, False), (20, True), (0, True)])
def test_the_pause_is_from_the_end_of_one_to_the_start_of_the_next(
    films: dict[str, Asset], bob: User, pause: float, found: bool
) -> None:
    assert ("soon.mp4" in well(Query(text="red", then="green", within_seconds=pause), bob)) is found


def test_without_a_limit_it_may_take_as_long_as_it_likes_but_not_go_back(films: dict[str, Asset], bob: User) -> None:
    assert set(well(Query(text="red", then="green", within_seconds=0), bob)) == {"soon.mp4", "late.mp4", "three.mp4"}


def test_both_in_the_same_video_in_whichever_order(films: dict[str, Asset], bob: User) -> None:
    found = well(Query(text="red", also="green"), bob)
    assert set(found) == {"soon.mp4", "late.mp4", "before.mp4", "three.mp4"}
    assert seconds(found["before.mp4"]) == [25, 0]


def test_three_in_a_row_and_one_more_anywhere(films: dict[str, Asset], bob: User) -> None:
    assert set(well(Query(text="green", then="red, green, blue"), bob)) == {"three.mp4"}
    found = well(Query(text="red", then="green", also="blue"), bob)
    assert set(found) == {"three.mp4"}
    assert seconds(found["three.mp4"]) == [3, 13, 17]


def test_the_weakest_moment_is_the_score_and_photos_have_none(films: dict[str, Asset], bob: User) -> None:
    answer = search(Query(text="red", then="green", limit=100), bob)
    assert {hit.asset.kind for hit in answer.hits} == {"video"}
    scores = [hit.score for hit in answer.hits]
    assert scores == sorted(scores, reverse=True)
    assert [hit.well for hit in answer.hits] == sorted((hit.well for hit in answer.hits), reverse=True)
    assert all(len(hit.moments) == 2 for hit in answer.hits)


def test_a_sequence_can_start_from_a_moment_of_a_video_and_leave_something_out(
    films: dict[str, Asset], bob: User
) -> None:
    query = Query(like=films["red.mp4"].uuid, at=2, then="green")
    assert set(well(query, bob)) == {"soon.mp4", "three.mp4"}
    assert "three.mp4" not in list(well(query.but(without="green"), bob))


def test_a_later_page_has_its_moments_as_well(films: dict[str, Asset], bob: User) -> None:
    query = Query(text="red", then="green", limit=1)
    whole = search(query.but(limit=10), bob)
    pages = [search(query.but(offset=n), bob) for n in range(len(whole.hits))]
    assert [hit.asset for page in pages for hit in page.hits] == [hit.asset for hit in whole.hits]
    assert [page.hits[0].moments for page in pages] == [hit.moments for hit in whole.hits]


def test_others_videos_are_in_no_sequence(films: dict[str, Asset], visitor: User) -> None:
    assert search(Query(text="red", then="green"), visitor).hits == ()


def test_words_that_mean_a_sequence_lead_to_one() -> None:
    (hint,) = find_hints(Query(text="a boat, then a bridge"))
    assert hint.url == "/?q=a+boat&then=a+bridge"
    assert find_hints(Query(text="a boat and a bridge")) == []
    assert find_hints(Query(text="authentic then")) == []


def test_too_many_steps_are_refused_in_a_sentence() -> None:
    with pytest.raises(BadQuery, match="At most 4"):
        Query.from_params({"q": "a", "then": "b, c, d, e, f"})
    with pytest.raises(BadQuery, match="A number from 0"):
        Query.from_params({"q": "a", "then": "b", "seconds": "-3"})


@pytest.mark.parametrize(
    "query",
    [
        Query(text="red", then="green"),
        Query(text="red", then="green", within_seconds=19.9),
        Query(text="red", also="green"),
        Query(text="red", then="green", also="blue"),
        Query(text="red", then="green", without="blue"),
        Query(text="green", then="green"),
    ],
)
@pytest.mark.parametrize("calibration", [{}, {"balanced": 0.3, "strict": 0.5, "best": 0.999}])
def test_an_alert_tells_of_the_videos_in_which_the_whole_sequence_is(
    films: dict[str, Asset], bob: User, fake_space: Space, query: Query, calibration: dict[str, float]
) -> None:
    fake_space.calibration = calibration
    fake_space.save()
    wanted = set(well(query.but(mode=Mode.BALANCED), bob))
    asked = [ask(one, bob, Mode.BALANCED, fake_space) for one in (query, Query(text="red"), query)]
    found, red, _ = find_matches(asked, fake_space, [film.pk for film in films.values()])
    names = {film.pk: name for name, film in films.items()}
    assert {names[match.asset] for match in found} == wanted
    if not calibration:
        assert {names[match.asset] for match in red} > wanted
    seconds = moments_of(found)
    assert {seconds[match.frame] for match in found} <= {float(n) for n in range(100)}
    assert back_test(query, bob, Mode.BALANCED).count == len(wanted)

"""Search as a whole: right people, right order, right pages, and sentences where there is no answer."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from django.contrib.auth.models import User

from archive import dispatch
from archive.models import Asset, Collection, Kind, Membership, Space, SpaceState, Status
from archive.trash import trash
from search.engine import search
from search.failures import EncoderUnavailable, NoSpace, NotEncodedYet, UnknownAsset
from search.hits import Answer
from search.query import BadQuery, Query
from tests.cast import make_jpeg, upload
from tests.prepared import make_encoded, random_rows
from workers import client
from workers.spaces import make_space

pytestmark = pytest.mark.django_db


def names(answer: Answer) -> list[str]:
    return [hit.asset.filename for hit in answer.hits]


def as_bytes(answer: Answer) -> bytes:
    hits = [[str(h.asset.uuid), h.asset.filename, h.score, h.rank, h.moments] for h in answer.hits]
    return orjson.dumps([hits, answer.plan, answer.space, answer.asked, answer.got, answer.more])


@pytest.fixture
def pictures(harbour: Collection, fake_space: Space) -> list[Asset]:
    """Seven hundred that bob may see."""
    return make_encoded(harbour, fake_space, random_rows(700))


def test_more_like_this_ranks_by_likeness_and_leaves_itself_out(
    pictures: list[Asset], bob: User, fake_space: Space
) -> None:
    rows = random_rows(700)
    answer = search(Query(like=pictures[3].uuid, limit=10), bob)
    expected = [i for i in np.argsort(-(rows @ rows[3])) if i != 3][:3]
    assert names(answer)[:3] == [f"row-{i:05}.jpg" for i in expected]
    assert [hit.rank for hit in answer.hits] == list(range(1, 11))
    scores = [hit.score for hit in answer.hits]
    assert scores == sorted(scores, reverse=True)
    assert (answer.plan, answer.space, answer.asked, answer.got, answer.more) == ("exact", "fake", 10, 10, True)


@pytest.mark.parametrize("limit", [60, 200])
def test_pages_neither_repeat_nor_lose_a_hit(pictures: list[Asset], bob: User, limit: int) -> None:
    query = Query(like=pictures[0].uuid, limit=limit)
    whole = search(query.but(limit=200), bob)
    seen: list[str] = []
    pages = 0
    while True:
        answer = search(query.but(offset=pages * limit), bob)
        seen += names(answer)
        pages += 1
        assert [hit.rank for hit in answer.hits] == list(range(len(seen) - answer.got + 1, len(seen) + 1))
        if not answer.more:
            break
    assert len(seen) == len(set(seen)) == 699
    assert seen[:200] == names(whole)


def test_an_upload_between_two_pages_repeats_and_loses_nothing(
    pictures: list[Asset], bob: User, harbour: Collection, fake_space: Space
) -> None:
    query = Query(like=pictures[0].uuid, limit=50)
    pages = [search(query, bob), search(query.but(offset=50), bob)]
    make_encoded(harbour, fake_space, random_rows(700)[:1], prefix="newcomer")  # as near as can be
    pages.append(search(query.but(offset=100), bob))
    seen = [name for page in pages for name in names(page)]
    assert len(seen) == len(set(seen)) == 150
    assert "newcomer-00000.jpg" not in seen
    assert names(search(query, bob))[0] == "newcomer-00000.jpg"  # the first page is always new


def test_what_goes_out_of_sight_between_two_pages_is_not_shown(pictures: list[Asset], bob: User) -> None:
    query = Query(like=pictures[0].uuid, limit=50)
    search(query, bob)
    expected = search(query.but(offset=50), bob)
    gone = expected.hits[0].asset
    trash(Asset.objects.filter(pk=gone.pk))
    assert names(search(query.but(offset=50), bob)) == names(expected)[1:]
    Membership.objects.filter(user=bob).delete()
    assert search(query.but(offset=50, like=None, text=""), bob).got == 0


def test_a_ranking_is_nobody_else_s(pictures: list[Asset], bob: User, alice: User, visitor: User) -> None:
    query = Query(like=pictures[0].uuid, limit=50)
    search(query, alice)
    with pytest.raises(UnknownAsset):
        search(query.but(offset=50), visitor)


def test_private_pictures_of_another_change_nothing_in_an_answer(
    harbour: Collection, alice: User, bob: User, fake_space: Space, queries_in_process: None
) -> None:
    """Bob's answers, byte by byte, with and without what only alice may see: near twins of his own included."""
    mine = make_encoded(harbour, fake_space, random_rows(80))
    asked = [
        Query(text="something red"),
        Query(like=mine[5].uuid, limit=7),
        Query(text="blue", without="red"),
        Query(limit=30),
        Query(text="green", collection="private"),
    ]
    before = [as_bytes(search(query, bob)) for query in asked]
    private = Collection.objects.create(slug="private", name="Private", owner=alice)
    hidden = make_encoded(private, fake_space, random_rows(80), prefix="hidden")
    assert [as_bytes(search(query, bob)) for query in asked] == before
    assert search(Query(like=mine[5].uuid), alice).hits[0].asset in hidden  # they would have been first


def test_an_asset_that_may_not_be_seen_is_answered_like_one_that_does_not_exist(
    pictures: list[Asset], visitor: User
) -> None:
    with pytest.raises(UnknownAsset) as hidden:
        search(Query(like=pictures[0].uuid), visitor)
    with pytest.raises(UnknownAsset) as missing:
        search(Query(like=uuid.uuid4()), visitor)
    assert str(hidden.value) == str(missing.value)


def test_a_picture_without_its_vector_says_so(
    harbour: Collection, bob: User, fake_space: Space, tmp_path: Path
) -> None:
    asset = upload(harbour, make_jpeg(tmp_path, "red.jpg", "red"), bob)
    with pytest.raises(NotEncodedYet, match="still being prepared"):
        search(Query(like=asset.uuid), bob)


def test_without_a_model_browsing_works_and_asking_says_what_to_do(harbour: Collection, bob: User) -> None:
    assert search(Query(), bob).plan == "newest"
    with pytest.raises(NoSpace, match="space create"):
        search(Query(text="boat"), bob)


def test_leaving_out_alone_is_no_question(pictures: list[Asset], bob: User, queries_in_process: None) -> None:
    with pytest.raises(BadQuery) as bad:
        search(Query(without="red"), bob)
    assert "without" in bad.value.fields


def test_only_ready_pictures_are_ranked_but_new_ones_are_browsed(pictures: list[Asset], bob: User) -> None:
    Asset.objects.filter(pk__in=[a.pk for a in pictures[1:]]).update(status=Status.PENDING)
    assert search(Query(like=pictures[0].uuid), bob).got == 0
    assert search(Query(limit=200), bob).got == 200


def test_filters_hold_inside_the_search(pictures: list[Asset], bob: User, harbour: Collection) -> None:
    videos = [a.pk for a in pictures[10:15]]
    Asset.objects.filter(pk__in=videos).update(kind=Kind.VIDEO)
    assert {h.asset.pk for h in search(Query(like=pictures[0].uuid, kind="video"), bob).hits} == set(videos)
    assert search(Query(like=pictures[0].uuid, collection="elsewhere"), bob).got == 0
    assert search(Query(like=pictures[0].uuid, collection="harbour"), bob).got == 60


def test_a_date_is_when_it_was_taken_or_else_when_it_was_added(pictures: list[Asset], bob: User) -> None:
    Asset.objects.filter(pk=pictures[20].pk).update(taken_at=datetime(2020, 2, 29, 23, 59, tzinfo=UTC))
    Asset.objects.filter(pk=pictures[21].pk).update(added_at=datetime(2020, 2, 28, 0, 0, tzinfo=UTC))
    query = Query(like=pictures[0].uuid, date_from=date(2020, 2, 28), date_to=date(2020, 2, 29))
    assert {h.asset.pk for h in search(query, bob).hits} == {pictures[20].pk, pictures[21].pk}
    assert [h.asset.pk for h in search(query.but(date_from=date(2020, 2, 29)), bob).hits] == [pictures[20].pk]
    assert [h.asset.pk for h in search(query.but(date_to=date(2020, 2, 28)), bob).hits] == [pictures[21].pk]


def test_the_newest_come_first_and_their_pages_fit_together(pictures: list[Asset], bob: User) -> None:
    first, second = search(Query(limit=5), bob), search(Query(limit=5, offset=5), bob)
    assert names(first) + names(second) == [f"row-{i:05}.jpg" for i in range(699, 689, -1)]
    assert second.hits[0].rank == 6


def test_words_and_a_picture_together_find_what_is_like_both(
    harbour: Collection, bob: User, fake_space: Space, queries_in_process: None
) -> None:
    red = client.encode_text(fake_space, "red").vector
    blue = client.encode_text(fake_space, "blue").vector
    both = (red + blue) / np.linalg.norm(red + blue)
    assets = make_encoded(harbour, fake_space, np.stack([red, both, blue]).astype(np.float32))
    assert names(search(Query(text="blue"), bob))[0] == "row-00002.jpg"
    assert names(search(Query(text="blue", like=assets[0].uuid), bob))[0] == "row-00001.jpg"


def test_a_text_is_encoded_once_for_all(
    pictures: list[Asset], bob: User, alice: User, queries_in_process: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = search(Query(text="something red"), bob)
    monkeypatch.setattr(dispatch, "_send", lambda *args, **kwargs: pytest.fail("asked again"))
    assert names(search(Query(text="something red"), bob)) == names(first)
    assert search(Query(text="something red"), alice).got == 60


def test_a_text_s_vector_belongs_to_its_space(fake_space: Space, queries_in_process: None) -> None:
    one = client.encode_text(fake_space, "red").vector
    other = make_space("other", "fake", "another")
    assert client.encode_text(other, "red").vector.tolist() != one.tolist()


def test_without_a_worker_words_are_refused_in_time_and_the_rest_still_works(
    pictures: list[Asset], bob: User, settings: Any
) -> None:
    settings.SIGHTLINE_QUERY_TIMEOUT = 0.5
    start = time.monotonic()
    with pytest.raises(EncoderUnavailable, match="Browsing and “more like this” still work") as refused:
        search(Query(text="red"), bob)
    assert 0.4 < time.monotonic() - start < 2.5
    assert refused.value.reason
    assert search(Query(like=pictures[0].uuid), bob).got == 60
    assert search(Query(), bob).got == 60


def test_a_broker_that_is_away_is_the_same_and_at_once(
    pictures: list[Asset], bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise dispatch.BrokerUnavailable("connection refused")

    monkeypatch.setattr(dispatch, "_send", away)
    start = time.monotonic()
    with pytest.raises(EncoderUnavailable):
        search(Query(text="red"), bob)
    assert time.monotonic() - start < 1
    assert search(Query(like=pictures[0].uuid), bob).got == 60


def test_a_space_that_takes_over_is_searched_from_the_next_query_on(
    pictures: list[Asset], harbour: Collection, bob: User, fake_space: Space
) -> None:
    Space.objects.update(state=SpaceState.READY)
    with pytest.raises(NoSpace):
        search(Query(like=pictures[0].uuid), bob)
    Space.objects.update(state=SpaceState.ACTIVE)
    assert search(Query(like=pictures[0].uuid), bob).space == "fake"

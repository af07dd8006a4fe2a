"""The first page is ranked alone; turning it looks deeper without showing anything twice."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache

from archive.models import Collection, Membership, Role, Space
from search.candidates import choose
from search.engine import depth_of, search
from search.failures import StaleCursor
from search.neighbours import Wanted, Way, find_neighbours
from search.query import MAX_DEPTH, Order, Query
from search.ranking import Ranked, Ranking, continued
from tests.prepared import make_encoded, random_rows
from workers.client import Encoded, remember_text


def ranking(*assets: int) -> Ranking:
    return Ranking([Ranked(asset, asset, 0.0) for asset in assets], "hnsw")


def test_what_was_shown_stays_in_front_and_nothing_comes_twice() -> None:
    # The deeper look found 9, which belonged on the page that was shown without it.
    both = continued(ranking(1, 2, 3), ranking(1, 9, 3, 2, 4, 5))
    assert [hit.asset_id for hit in both.hits] == [1, 2, 3, 9, 4, 5]


def test_one_page_is_ranked_alone_and_more_where_hits_are_compared() -> None:
    assert depth_of(Query(text="a")) == Query.limit + 1
    assert depth_of(Query(text="a", without="b")) == MAX_DEPTH
    assert depth_of(Query(text="a", order=Order.TAKEN)) == MAX_DEPTH


def test_all_pages_together_show_everything_once(harbour: Collection, bob: User, fake_space: Space) -> None:
    rows = random_rows(130)
    assets = make_encoded(harbour, fake_space, rows)
    remember_text(fake_space, "anything", Encoded(rows[0]))
    seen: list[int] = []
    query: Query | None = Query(text="anything", limit=50)
    while query is not None:
        answer = search(query, bob)
        seen += [hit.asset.pk for hit in answer.hits]
        query = replace(query, offset=len(seen), cursor=answer.cursor) if answer.more else None
    assert sorted(seen) == sorted(asset.pk for asset in assets)
    assert len(seen) == len(set(seen))


def test_a_page_of_a_list_that_is_not_kept_any_more_says_so(harbour: Collection, bob: User, fake_space: Space) -> None:
    rows = random_rows(90)
    make_encoded(harbour, fake_space, rows)
    remember_text(fake_space, "anything", Encoded(rows[0]))
    first = search(Query(text="anything", limit=30), bob)
    second = Query(text="anything", limit=30, offset=30, cursor=first.cursor)
    assert search(second, bob).got == 30
    cache.clear()
    remember_text(fake_space, "anything", Encoded(rows[0]))
    with pytest.raises(StaleCursor):
        search(second, bob)
    # Whoever asks without a cursor takes what there is now.
    assert search(Query(text="anything", limit=30, offset=30), bob).got == 30


def test_another_look_at_the_same_question_leaves_a_running_list_as_it_is(
    harbour: Collection, bob: User, fake_space: Space
) -> None:
    rows = random_rows(100)
    make_encoded(harbour, fake_space, rows)
    remember_text(fake_space, "anything", Encoded(rows[0]))
    first = search(Query(text="anything", limit=30), bob)
    nearer = make_encoded(harbour, fake_space, rows[:5], prefix="nearer")
    search(Query(text="anything", limit=12), bob)  # in another window, and with new uploads
    search(Query(text="anything", limit=30), bob)
    shown = [hit.asset.pk for hit in first.hits]
    query: Query | None = Query(text="anything", limit=30, offset=30, cursor=first.cursor)
    while query is not None:
        answer = search(query, bob)
        shown += [hit.asset.pk for hit in answer.hits]
        query = replace(query, offset=len(shown)) if answer.more else None
    assert len(shown) == len(set(shown)) == 105
    assert {asset.pk for asset in nearer} <= set(shown)


def test_browsing_and_long_lists_go_on_past_a_thousand(harbour: Collection, bob: User, fake_space: Space) -> None:
    assets = make_encoded(harbour, fake_space, random_rows(1100))
    seen: list[int] = []
    for order in (Order.CLOSEST, Order.TAKEN):
        seen.clear()
        query: Query | None = Query(limit=200, order=order)
        while query is not None:
            query = Query.from_params(query.params())  # as the link of the next page is read
            answer = search(query, bob)
            seen += [hit.asset.pk for hit in answer.hits]
            query = replace(query, offset=len(seen), cursor=answer.cursor) if answer.more else None
        assert sorted(seen) == sorted(asset.pk for asset in assets)
    remember_text(fake_space, "anything", Encoded(random_rows(1)[0]))
    ranked = search(Query(text="anything", limit=200), bob)
    last = search(Query(text="anything", limit=200, offset=800, cursor=ranked.cursor), bob)
    assert (last.got, last.more) == (200, False)


def test_a_list_ends_when_what_one_may_see_changes(
    harbour: Collection, bob: User, alice: User, fake_space: Space
) -> None:
    rows = random_rows(90)
    make_encoded(harbour, fake_space, rows)
    remember_text(fake_space, "anything", Encoded(rows[0]))
    first = search(Query(text="anything", limit=30), bob)
    attic = Collection.objects.create(slug="attic", name="Attic", owner=alice)
    Membership.objects.create(collection=attic, user=bob, role=Role.VIEWER)
    with pytest.raises(StaleCursor):
        search(Query(text="anything", limit=30, offset=30, cursor=first.cursor), bob)


def test_browsing_shows_everything_once_although_uploads_go_on(
    harbour: Collection, bob: User, fake_space: Space
) -> None:
    assets = make_encoded(harbour, fake_space, random_rows(70))
    seen: list[int] = []
    query: Query | None = Query(limit=30)
    while query is not None:
        answer = search(query, bob)
        seen += [hit.asset.pk for hit in answer.hits]
        make_encoded(harbour, fake_space, random_rows(3), prefix=f"later-{len(seen)}")
        query = Query(limit=30, offset=len(seen), cursor=answer.cursor) if answer.more else None
    assert sorted(seen) == sorted(asset.pk for asset in assets)
    for cursor in ("x", "1", "1.x", "9" * 40 + ".1", "-1.5", "1.2.3"):
        with pytest.raises(StaleCursor):
            search(Query(offset=30, cursor=cursor), bob)


def test_a_way_that_is_remembered_too_long_loses_no_row(harbour: Collection, bob: User, fake_space: Space) -> None:
    make_encoded(harbour, fake_space, random_rows(30))
    candidates = choose(Query(), bob)
    vector = random_rows(1, seed=5)[0]
    cache.clear()
    Wanted(fake_space, vector, candidates, 20).remember_way(Way("hnsw", 0.5, 1.25, 20_000))
    by_index = Wanted(fake_space, vector, candidates, 20)
    assert by_index.remembered_way() == ("hnsw", 0.5, 1.25, 20_000)
    exactly = find_neighbours(fake_space, vector, candidates, 20)
    assert [n.asset_id for n in by_index.run("hnsw").neighbours] == [n.asset_id for n in exactly.neighbours]
    # More than there are: whatever the index said, the answer is made exactly.
    assert len(find_neighbours(fake_space, vector, candidates, 60).neighbours) == 30

"""The first page is ranked alone; turning it looks deeper without showing anything twice."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.core.cache import cache

from archive.models import Collection, Space
from search import engine
from search.candidates import find_candidates
from search.engine import depth_of, search
from search.neighbours import Found, Neighbour, Wanted, find_neighbours
from search.query import Query
from search.ranking import continued
from tests.prepared import make_encoded, random_rows
from workers.client import Encoded, remember_text


def found(*assets: int) -> Found:
    return Found([Neighbour(asset, asset, 0.0) for asset in assets], "hnsw")


def ids(of: Found) -> list[int]:
    return [neighbour.asset_id for neighbour in of.neighbours]


def test_what_was_shown_stays_in_front_and_nothing_comes_twice() -> None:
    # The deeper look found 9, which belonged on the page that was shown without it.
    assert ids(continued(found(1, 2, 3), found(1, 9, 3, 2, 4, 5))) == [1, 2, 3, 9, 4, 5]


def test_one_page_is_ranked_alone_and_more_on_turning_it() -> None:
    assert depth_of(Query(text="a")) == Query.limit + 1
    assert depth_of(Query(text="a", offset=60)) == engine.DEPTH
    assert depth_of(Query(text="a", without="b")) == engine.DEPTH
    assert depth_of(Query(text="a", offset=900)) == 961


def test_all_pages_together_show_everything_once(harbour: Collection, bob: User, fake_space: Space) -> None:
    rows = random_rows(130)
    assets = make_encoded(harbour, fake_space, rows)
    remember_text(fake_space, "anything", Encoded(rows[0]))
    seen: list[int] = []
    query: Query | None = Query(text="anything", limit=50)
    while query is not None:
        answer = search(query, bob)
        seen += [hit.asset.pk for hit in answer.hits]
        query = Query(text="anything", limit=50, offset=len(seen)) if answer.more else None
    assert sorted(seen) == sorted(asset.pk for asset in assets)


def test_a_way_that_is_remembered_too_long_loses_no_row(harbour: Collection, bob: User, fake_space: Space) -> None:
    make_encoded(harbour, fake_space, random_rows(30))
    candidates = find_candidates(Query(), bob)
    vector = random_rows(1, seed=5)[0]
    cache.clear()
    Wanted(fake_space, vector, candidates, 20).remember_way("hnsw")
    by_index = Wanted(fake_space, vector, candidates, 20)
    assert by_index.remembered_way() == "hnsw"
    assert ids(by_index.run("hnsw")) == ids(find_neighbours(fake_space, vector, candidates, 20))
    # More than there are: whatever the index said, the answer is made exactly.
    assert len(find_neighbours(fake_space, vector, candidates, 60).neighbours) == 30

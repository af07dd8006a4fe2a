"""Search, on one screen: encode the terms, choose the candidates, find neighbours, make hits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db.models import QuerySet

from archive.models import Asset, Space
from search.candidates import find_candidates
from search.exclusion import push_down
from search.failures import EncoderUnavailable, NoSpace, NotAnswered, PictureExpired, UnknownAsset
from search.hits import Answer, Hit, Moment
from search.neighbours import Neighbour, find_neighbours
from search.query import Query
from search.ranking import continued, find_ranking, keep_ranking
from search.terms import encode_terms, encode_without, find_seed

if TYPE_CHECKING:
    from archive.models.collections import Person

__all__ = ["EncoderUnavailable", "NoSpace", "NotAnswered", "PictureExpired", "UnknownAsset", "search"]

# So many are ranked for whoever turns the page; pages are cut from that, so that none repeats or loses a hit.
DEPTH = 500


class Stopwatch:
    """Milliseconds a step."""

    def __init__(self) -> None:
        self.took: dict[str, float] = {}

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.took[step] = round((time.perf_counter() - start) * 1000, 2)


def search(query: Query, user: Person) -> Answer:
    """Answer a query for a person. Raises `NotAnswered` and its kin, whose words are for people."""
    watch = Stopwatch()
    if not query.asks:
        return newest(query, user, watch)
    space = Space.objects.active()
    if space is None:
        raise NoSpace
    shown = find_ranking(query, space, user) if query.offset else None
    if shown is not None and query.like:
        find_seed(query, user)  # it may have gone out of sight since its ranking was kept
    ranked = shown
    if ranked is None or len(ranked.neighbours) <= query.offset + query.limit:
        with watch("encode"):
            terms = encode_terms(query, space, user)
            without = encode_without(query, space)
        with watch("neighbours"):
            candidates = find_candidates(query, user)
            ranked = find_neighbours(space, terms.vector, candidates, depth_of(query), exact=query.exact)
            if without is not None:
                ranked = push_down(ranked, space, without)
            if shown is not None:
                ranked = continued(shown, ranked)
        keep_ranking(query, space, user, ranked)
    with watch("hits"):
        page = ranked.neighbours[query.offset : query.offset + query.limit]
        # What the statement just gave was permitted there; what was kept may have gone out of sight since.
        assets = Asset.objects.all() if shown is None else Asset.objects.visible_to(user)
        hits = make_hits(page, assets, query.offset)
    return Answer(
        hits=hits,
        plan=ranked.plan,
        space=space.slug,
        asked=query.limit,
        got=len(hits),
        took=watch.took,
        more=len(ranked.neighbours) > query.offset + query.limit,
    )


def depth_of(query: Query) -> int:
    """Most people look at one page: it is ranked alone, in a third of the time.

    Leaving out compares each hit with the others, so it needs them all.
    """
    if query.offset or query.without:
        return max(DEPTH, query.offset + query.limit + 1)
    return query.limit + 1


def newest(query: Query, user: Person, watch: Stopwatch) -> Answer:
    """Without terms there is nothing to rank by: the newest come first."""
    with watch("newest"):
        candidates = find_candidates(query, user, ready=False).select_related("collection").defer("exif", "notes")
        rows = list(candidates.order_by("-added_at", "-id")[query.offset : query.offset + query.limit + 1])
    hits = tuple(Hit(asset, 0.0, query.offset + i) for i, asset in enumerate(rows[: query.limit], start=1))
    return Answer(hits, "newest", "", query.limit, len(hits), watch.took, len(rows) > query.limit)


def make_hits(page: list[Neighbour], among: QuerySet[Asset], offset: int) -> tuple[Hit, ...]:
    """Fetch the assets of a page in one query; what is not there any more drops out."""
    slim = among.defer("exif", "notes")
    assets = slim.in_bulk([neighbour.asset_id for neighbour in page])
    return tuple(
        Hit(
            asset=assets[neighbour.asset_id],
            score=round(-neighbour.distance, 4),
            rank=rank,
            moments=(Moment(0.0, 0.0, 0.0, round(-neighbour.distance, 4)),),
        )
        for rank, neighbour in enumerate(page, start=offset + 1)
        if neighbour.asset_id in assets
    )

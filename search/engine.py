"""Search, on one screen: encode the terms, choose the candidates, find neighbours, judge, make hits."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from django.db.models import QuerySet

from archive.models import Asset, Space
from search.browsing import browse, ordering
from search.candidates import choose, find_candidates
from search.failures import (
    EncoderUnavailable,
    NoSpace,
    NotAnswered,
    NotForYou,
    PictureExpired,
    StaleCursor,
    UnknownAsset,
)
from search.hits import SHOWN, Answer
from search.judging import Judge
from search.meanwhile import meanwhile
from search.neighbours import find_neighbours, prepare_neighbours
from search.pages import Moments, find_moments, make_hits, read_assets
from search.query import MAX_DEPTH, Mode, Order, Query
from search.ranking import Ranked, Ranking, continued, find_cursor, find_ranking, keep_ranking, name_ranking
from search.sayings import MOST as MOST_SAID
from search.sayings import find_said, find_words
from search.sequences import nearest_of_all, short_enough
from search.sight import sight_of
from search.spaces import asked_again, choose_space
from search.terms import encode_terms, find_seed

if TYPE_CHECKING:
    from archive.models.collections import Person

__all__ = [
    "EncoderUnavailable",
    "NoSpace",
    "NotAnswered",
    "NotForYou",
    "PictureExpired",
    "StaleCursor",
    "UnknownAsset",
    "find_relevant_ids",
    "search",
]

# So many videos are looked through for a sequence, the nearest ones to each of its terms, as long as they have no more
# frames than can be compared with all of them in the time that a statement has.
OF_EACH_TERM = 400
WORDS_ONLY = "Words cannot be read as pictures right now, so these were found by what is written about them alone."


class Stopwatch:
    """Milliseconds a step. What goes on beside another step counts for as long as it is waited for."""

    def __init__(self) -> None:
        self.took: dict[str, float] = {}

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.took[step] = round(self.took.get(step, 0.0) + (time.perf_counter() - start) * 1000, 2)


def search(query: Query, user: Person, columns: Sequence[str] = SHOWN) -> Answer:
    """Answer a query for a person. Raises `NotAnswered` and its kin, whose words are for people.

    `columns`: what is read of the assets that are ranked.
    """
    if query.within:
        find_seed(query.within, user)
    if query.asks:
        return asked_again(lambda: ask(query, user, columns))
    watch = Stopwatch()
    if query.space:
        choose_space(query, user)
    with watch("newest"):
        found = browse(query, user)
    return replace(found, took=watch.took)


def ask(query: Query, user: Person, columns: Sequence[str] = SHOWN) -> Answer:
    """All of an answer is of one space. A page that follows is of the space in which the first was ranked."""
    watch = Stopwatch()
    sight = sight_of(user)
    space, name = place_of(query, user, sight)
    cursor = (query.cursor or find_cursor(name)) if query.offset else ""
    shown = find_ranking(cursor) if cursor else None
    if query.offset and query.cursor and shown is None:
        raise StaleCursor
    if shown is not None:
        for seed in filter(None, (query.like, query.unlike)):
            find_seed(seed, user)  # it may have gone out of sight since its ranking was kept
    ranking = shown
    end = query.offset + query.limit
    if ranking is None or (len(ranking.hits) <= end and not ranking.whole):
        depth = MAX_DEPTH if query.offset else depth_of(query)
        ranking = rank(query, space, user, sight, depth, watch)
        if shown is not None:
            ranking = continued(shown, ranking)
        cursor = keep_ranking(name, ranking.up_to(end), cursor if shown is not None else "")
    with watch("hits"):
        # What the statement just gave was permitted there; what was kept may have gone out of sight since.
        among = Asset.objects.all() if shown is None else Asset.objects.visible_to(user)
        page = ranking.hits[query.offset : end]
        assets = read_assets(page, among, columns)
        moments: Moments = {}
        note = WORDS_ONLY
        if ranking.plan != "words":
            moments, note = find_moments(query, space, user, sight, page, assets)
        hits = make_hits(query, page, assets, moments)
    return Answer(
        hits=hits,
        plan=ranking.plan,
        space=space.slug,
        asked=query.limit,
        got=len(hits),
        took=watch.took,
        more=len(ranking.hits) > end,
        well=ranking.well,
        well_is_all=ranking.all_well,
        cut=ranking.cut,
        note=note,
        cursor=cursor,
    )


def place_of(query: Query, user: Person, sight: str) -> tuple[Space, str]:
    """The space to ask in, and the name of the ranking there. A cursor leads back to where its list was made."""
    space = choose_space(query, user)
    name = name_ranking(query, space, user, sight)
    asked = query.cursor.partition(".")[0]
    if not query.offset or not asked or asked == name:
        return space, name
    for other in Space.objects.live().slim().exclude(pk=space.pk):
        if asked == name_ranking(query, other, user, sight):
            return other, asked
    raise StaleCursor


def find_relevant_ids(query: Query, user: Person) -> list[int]:
    """What matches well, in its order; all that was ranked where nothing does, or where everything is wanted.

    Ranked anew, as deep as pages go: what is kept for pages may not pass the filters any more, and lacks what is new.
    """
    hits = asked_again(lambda: _rank_all(query.but(), user)).hits
    if query.mode is Mode.EVERYTHING:
        return [hit.asset_id for hit in hits]
    return [hit.asset_id for hit in hits if hit.well] or [hit.asset_id for hit in hits]


def _rank_all(query: Query, user: Person) -> Ranking:
    return rank(query, choose_space(query, user), user, sight_of(user), MAX_DEPTH, Stopwatch())


def rank(query: Query, space: Space, user: Person, sight: str, depth: int, watch: Stopwatch) -> Ranking:
    if query.sequence:
        return rank_sequences(query, space, user, sight, find_candidates(query, user), watch)
    chosen = choose(query, user)
    try:
        with watch("encode"):
            terms = encode_terms(query, space, user)
    except EncoderUnavailable:
        with watch("words"):
            sayings = find_words(query, chosen)
        if not sayings:
            raise
        # Nobody reads words as pictures now. What says them can be found all the same.
        hits = [Ranked(one.asset_id, 0, 0.0, said=one.whole) for one in sayings]
        return Ranking(hits if query.order is Order.CLOSEST else by_date(hits, query.order), "words", whole=True)
    with watch("neighbours"):
        find = prepare_neighbours(space, terms.wanted, chosen, depth, exact=query.exact)
    with watch("words"):
        awaited = meanwhile(lambda: find_said(query, chosen, space, terms.wanted))
    with watch("neighbours"):
        found = find()
    with watch("words"):
        said = awaited()
    with watch("judge"):
        hits, ended = Judge(query, terms, space, user, sight).rank(found.neighbours, said)
        if query.order is not Order.CLOSEST:
            hits = by_date(hits, query.order)
    ended = ended or len(found.neighbours) < depth
    whole = len(found.neighbours) < depth or depth >= MAX_DEPTH or (ended and query.mode is Mode.STRICT)
    all_well = ended and sum(one.whole for one in said.sayings) < MOST_SAID
    return Ranking(hits, found.plan, whole, terms.cut, all_well)


def rank_sequences(
    query: Query, space: Space, user: Person, sight: str, candidates: QuerySet[Asset], watch: Stopwatch
) -> Ranking:
    """Videos near to any of the terms, judged by whether they have all of them as asked."""
    with watch("encode"):
        terms = encode_terms(query, space, user)
    with watch("neighbours"):
        vectors = (terms.wanted, *terms.then, *terms.also)
        found = [find_neighbours(space, one, candidates, OF_EACH_TERM, exact=query.exact) for one in vectors]
        near = nearest_of_all([[one.asset_id for one in each.neighbours] for each in found])
    with watch("judge"):
        hits = Judge(query, terms, space, user, sight).rank_sequences(short_enough(near, len(vectors)))[:MAX_DEPTH]
        if query.order is not Order.CLOSEST:
            hits = by_date(hits, query.order)
    return Ranking(hits, found[0].plan, whole=True, cut=terms.cut)


def depth_of(query: Query) -> int:
    """Most people look at one page: it is ranked alone, in a third of the time."""
    compared = query.without or query.unlike  # what is pushed down, and what comes up for it, may lie anywhere
    return MAX_DEPTH if compared or query.order is not Order.CLOSEST else query.limit + 1


def by_date(hits: list[Ranked], order: Order) -> list[Ranked]:
    """What matches well, the newest first, or by duration; where nothing does, everything."""
    relevant = [hit for hit in hits if hit.well] or hits
    ids = [hit.asset_id for hit in relevant]
    dated = Asset.objects.filter(pk__in=ids).order_by(ordering(order), "-pk").values_list("pk", flat=True)
    place = {pk: number for number, pk in enumerate(dated)}
    return sorted(relevant, key=lambda hit: place.get(hit.asset_id, len(place)))

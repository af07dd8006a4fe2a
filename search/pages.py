"""A page of a ranking becomes hits: the assets with what is shown of them, and where to open the videos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from django.db.models import OuterRef, QuerySet, Subquery

from archive.models import Asset, Frame, Kind, Space
from archive.video.player import still_url
from search.failures import NotAnswered, TooSlow
from search.hits import Hit, Moment
from search.judging import Judge
from search.moments import MOST_SHOWN
from search.query import Query
from search.ranking import Ranked
from search.terms import encode_terms

if TYPE_CHECKING:
    from archive.models.collections import Person

Moments = dict[int, tuple[Moment, ...]]
# Of the videos on a page. What the whole of a search raises where its other statements take too long.
ONLY_THE_CLOSEST = "Of each video only the closest moment is shown: to look for others in films so long took too long."


def make_hits(query: Query, page: list[Ranked], assets: dict[int, Asset], moments: Moments) -> tuple[Hit, ...]:
    """`assets` that may be shown, by id; what is not there any more drops out. A photo has its one moment at 0."""
    return tuple(
        Hit(
            asset=assets[hit.asset_id],
            score=round(hit.closeness, 4),
            rank=rank,
            moments=moments.get(hit.asset_id) or (Moment(0.0, 0.0, 0.0, round(hit.closeness, 4), hit.well),),
            well=hit.well,
            said=hit.said,
            share=hit.share,
            sequence=query.sequence,
        )
        for rank, hit in enumerate(page, start=query.offset + 1)
        if hit.asset_id in assets
    )


def read_assets(page: list[Ranked], among: QuerySet[Asset], columns: Sequence[str]) -> dict[int, Asset]:
    """In one query."""
    return among.only(*columns).in_bulk([hit.asset_id for hit in page])


def find_moments(
    query: Query, space: Space, user: Person, sight: str, page: list[Ranked], assets: dict[int, Asset]
) -> tuple[Moments, str]:
    """Where to open the videos among `assets`: exact, over all their frames. Inside one video, as many as asked for.
    And a note where there was no time for all of that. Raises `TooSlow` for a sequence, which has no closest moment.

    The terms are at hand for the first page only, and quickly found again for the others: words and pictures that
    were encoded are remembered. Where they are not any more, videos open at their beginning.
    """
    videos = [pk for pk, asset in assets.items() if asset.kind == Kind.VIDEO]
    if not videos:
        return {}, ""
    try:
        terms = encode_terms(query, space, user)
    except NotAnswered:
        return {}, ""
    most = query.limit if query.within else MOST_SHOWN
    try:
        found, note = Judge(query, terms, space, user, sight).moments(videos, most), ""
    except TooSlow:
        if query.sequence:
            raise
        found, note = where_found([hit for hit in page if hit.asset_id in videos]), ONLY_THE_CLOSEST
    return with_stills(found, assets), note


def where_found(videos: list[Ranked]) -> Moments:
    """The frame of each video by which it was found, in the shot that runs there."""
    running = Frame.objects.filter(asset=OuterRef("asset"), at__lte=OuterRef("at"), start__isnull=False).order_by("-at")
    rows = Frame.objects.filter(pk__in=[hit.frame_id for hit in videos]).values_list(
        "pk", "at", Subquery(running.values("start")[:1]), Subquery(running.values("end")[:1])
    )
    frames = {pk: (at if start is None else start, at if end is None else end, at) for pk, at, start, end in rows}
    return {
        hit.asset_id: (Moment(*frames[hit.frame_id], round(hit.closeness, 4), hit.well),)
        for hit in videos
        if hit.frame_id in frames
    }


def with_stills(moments: Moments, assets: dict[int, Asset]) -> Moments:
    """Each moment with the picture of its shot, where that is kept."""
    starts = {one.start for each in moments.values() for one in each}
    kept = Frame.objects.filter(asset__in=moments, start__in=starts, representative=True).exclude(still="")
    frames = {(asset, start): pk for asset, start, pk in kept.values_list("asset", "start", "pk")}
    return {
        asset: tuple(
            replace(one, still=still_url(assets[asset], frames[asset, one.start]))
            if (asset, one.start) in frames
            else one
            for one in each
        )
        for asset, each in moments.items()
    }

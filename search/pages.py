"""A page of a ranking becomes hits: the assets with what is shown of them, and where to open the videos."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.db.models import QuerySet

from archive.models import Asset, Frame, Kind, Space
from archive.video.player import still_url
from search.failures import NotAnswered
from search.hits import SHOWN, Hit, Moment
from search.judging import Judge
from search.moments import MOST_SHOWN
from search.query import Query
from search.ranking import Ranked
from search.terms import encode_terms

if TYPE_CHECKING:
    from archive.models.collections import Person

Moments = dict[int, tuple[Moment, ...]]


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


def read_assets(page: list[Ranked], among: QuerySet[Asset]) -> dict[int, Asset]:
    """In one query."""
    return among.only(*SHOWN).in_bulk([hit.asset_id for hit in page])


def find_moments(query: Query, space: Space, user: Person, sight: str, assets: dict[int, Asset]) -> Moments:
    """Where to open the videos among `assets`: exact, over all their frames. Inside one video, as many as asked for.

    The terms are at hand for the first page only, and quickly found again for the others: words and pictures that
    were encoded are remembered. Where they are not any more, videos open at their beginning.
    """
    videos = [pk for pk, asset in assets.items() if asset.kind == Kind.VIDEO]
    if not videos:
        return {}
    try:
        terms = encode_terms(query, space, user)
    except NotAnswered:
        return {}
    most = query.limit if query.within else MOST_SHOWN
    return with_stills(Judge(query, terms, space, user, sight).moments(videos, most), assets)


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

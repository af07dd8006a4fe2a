"""From neighbours and sayings to one ranking: leave out, fuse, and draw the line where relevance ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from archive.models import Asset, Kind, Space
from archive.vectors import Vector
from search.background import Background, find_background
from search.exclusion import price_of
from search.fusion import fuse
from search.hits import Moment
from search.moments import MOST_SHOWN, Aim, best_frames, best_moments
from search.neighbours import Neighbour, holds_videos, similarities
from search.phrases import Saying
from search.query import Mode, Query
from search.ranking import Ranked
from search.relevance import Line, draw_line
from search.sayings import Said
from search.sequences import Chain, Step, find_chains
from search.terms import Terms

if TYPE_CHECKING:
    from archive.models.collections import Person

# Two frames of one shot are equally good whose closeness differs by less than this, in spreads of the background,
# or by less than this share of it: a scene that stands still differs by what compressing it makes of it. Measured on
# films over whose scenes the camera moves (docs/video.md): more opens shots too early, less too late. Where there is
# no background, a share has to do: half a spread is about a tenth of what a good hit has.
SLACK, SHARE, SHARE_ALONE = 0.5, 0.02, 0.1


class Judged(NamedTuple):
    """`ended`: relevance ends among the neighbours that were judged, and none farther away matches well."""

    hits: list[Ranked]
    ended: bool


@dataclass(frozen=True)
class Judge:
    """One query in one space, for one person."""

    query: Query
    terms: Terms
    space: Space
    user: Person
    sight: str

    def rank(self, neighbours: list[Neighbour], said: Said) -> Judged:
        """What matches well first, then the rest, unless it is not wanted. `neighbours`: the nearest first."""
        known = {one.asset_id for one in neighbours}
        near = self._push_down([*neighbours, *(one for one in said.near if one.asset_id not in known)])
        hits = self._ordered(near, said.sayings)
        best = max((hit.closeness for hit in hits), default=0.0)
        line = self.line.beside(best, self.wanted) if self.terms.words_only else self.line
        judged = _judged(hits, line, self.wanted)
        hopeless = not any(hit.said for hit in judged) and best < line.best
        if hopeless:
            judged = [hit._replace(well=False) for hit in judged]
        # Before anything is pushed down: what lies farther away only loses by that, too.
        ended = hopeless or (bool(neighbours) and -neighbours[-1].distance < line.well)
        return Judged(self._divided(judged), ended)

    def rank_sequences(self, assets: Sequence[int]) -> list[Ranked]:
        """Those of `assets` in which the whole sequence is found. It matches well where each of its moments does."""
        chains = self.chains(assets)
        best = [max((one.moments[n].score for one in chains), default=0.0) for n in range(len(self.steps))]
        hopeless = any(score < step.line.best for score, step in zip(best, self.steps, strict=True))
        return self._divided(
            [Ranked(one.asset_id, 0, one.weakest, well=one.well and not hopeless) for one in chains],
        )

    def chains(self, assets: Sequence[int]) -> list[Chain]:
        return find_chains(self.steps, assets, self.query.within_seconds)

    def moments(self, videos: Sequence[int], most: int = MOST_SHOWN) -> dict[int, tuple[Moment, ...]]:
        """What to open in each of some videos: the moments of the sequence, or those that come closest."""
        if self.query.sequence:
            return {chain.asset_id: chain.moments for chain in self.chains(videos)}
        found = best_moments(self.aim, videos, most)
        return {
            asset: tuple(replace(one, well=one.score >= self.line.well) for one in moments)
            for asset, moments in found.items()
        }

    @cached_property
    def wanted(self) -> Background:
        return self._background(self.terms.wanted)

    @cached_property
    def line(self) -> Line:
        return draw_line(self.space, self.wanted, self.query.mode, words_only=self.terms.words_only)

    @cached_property
    def aim(self) -> Aim:
        return self._aim(self.terms.wanted)

    @cached_property
    def steps(self) -> list[Step]:
        """Of a sequence: its first term, what comes then, and what is also there."""
        further = [(one, False) for one in self.terms.then] + [(one, True) for one in self.terms.also]
        return [Step(self.aim, self.wanted, self.line), *(self._step(one, beside) for one, beside in further)]

    def _step(self, vector: Vector, beside: bool) -> Step:
        usual = self._background(vector)
        line = draw_line(self.space, usual, self.query.mode, words_only=True)
        return Step(self._aim(vector), usual, line, beside)

    def _aim(self, vector: Vector) -> Aim:
        wanted = self._background(vector)
        prices = tuple(
            (one.vector, price_of(self._background(one.vector), wanted, one.weight)) for one in self.terms.unwanted
        )
        slack, share = (SLACK * wanted.spread, SHARE) if wanted.known else (0.0, SHARE_ALONE)
        return Aim(self.space, vector, prices, slack, share)

    def _background(self, vector: Vector) -> Background:
        return find_background(self.space, self.user, self.sight, vector)

    def _divided(self, judged: list[Ranked]) -> list[Ranked]:
        well = [hit for hit in judged if hit.well]
        return well if self.query.mode is Mode.STRICT else [*well, *(hit for hit in judged if not hit.well)]

    def _push_down(self, near: list[Neighbour]) -> list[Neighbour]:
        """Nearest first, after a penalty for everything unwanted that a hit resembles. Of a video the frame counts
        that is best after it: without people is where no people are."""
        if not self.terms.unwanted or not near:
            return near
        frames = [one.frame_id for one in near]
        lost = dict.fromkeys(frames, 0.0)
        for vector, price in self.aim.prices:
            for frame, likeness in similarities(self.space, vector, frames).items():
                lost[frame] += price(likeness)
        pushed = [replace(one, distance=one.distance + lost[one.frame_id]) for one in near]
        best = self._best_frames([one.asset_id for one in near])
        pushed = [
            replace(one, frame_id=best[one.asset_id][0], distance=-best[one.asset_id][1])
            if one.asset_id in best
            else one
            for one in pushed
        ]
        return sorted(pushed, key=lambda one: one.distance)

    def _best_frames(self, assets: list[int]) -> dict[int, tuple[int, float]]:
        if not holds_videos(self.space):
            return {}
        videos = Asset.objects.filter(pk__in=assets, kind=Kind.VIDEO).values_list("pk", flat=True)
        return best_frames(self.aim, list(videos))

    def _ordered(self, near: list[Neighbour], sayings: list[Saying]) -> list[Ranked]:
        said = {saying.asset_id for saying in sayings if saying.whole}
        found = {one.asset_id: one for one in near}
        order = fuse(list(found), sayings) if sayings else list(found)
        # What says the words counts although this space does not hold it yet.
        return [
            Ranked(pk, found[pk].frame_id, -found[pk].distance, said=pk in said)
            if pk in found
            else Ranked(pk, 0, 0.0, said=pk in said)
            for pk in order
        ]


def _judged(hits: list[Ranked], line: Line, background: Background) -> list[Ranked]:
    """What says the words itself needs no model to believe it."""
    shares = background.shares_below([hit.closeness for hit in hits]) if background.known else [0.0] * len(hits)
    return [
        hit._replace(well=hit.said or hit.closeness >= line.well, share=round(share, 4))
        for hit, share in zip(hits, shares, strict=True)
    ]

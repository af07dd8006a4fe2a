"""From neighbours and sayings to one ranking: leave out, fuse, and draw the line where relevance ends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from archive.models import Asset, Space
from search.background import Background, find_background
from search.exclusion import penalty
from search.fusion import fuse
from search.neighbours import Neighbour, find_neighbours, similarities
from search.phrases import Saying
from search.query import Mode, Query
from search.ranking import Ranked
from search.relevance import Line, draw_line
from search.terms import Terms

if TYPE_CHECKING:
    from archive.models.collections import Person


@dataclass(frozen=True)
class Judge:
    """One query in one space, for one person."""

    query: Query
    terms: Terms
    space: Space
    user: Person
    sight: str

    def rank(self, neighbours: list[Neighbour], sayings: list[Saying]) -> list[Ranked]:
        """What matches well first, then the rest, unless it is not wanted."""
        wanted = find_background(self.space, self.user, self.sight, self.terms.wanted)
        near = self._push_down([*neighbours, *self._beside(neighbours, sayings)], wanted)
        hits = self._ordered(near, sayings)
        line = draw_line(self.space, wanted, self.query.mode, words_only=self.terms.words_only)
        judged = [_judged(hit, line, wanted) for hit in hits]
        if not any(hit.said for hit in judged) and max((hit.closeness for hit in judged), default=0.0) < line.best:
            judged = [replace(hit, well=False) for hit in judged]
        well = [hit for hit in judged if hit.well]
        return well if self.query.mode is Mode.STRICT else [*well, *(hit for hit in judged if not hit.well)]

    def _beside(self, neighbours: list[Neighbour], sayings: list[Saying]) -> list[Neighbour]:
        """Those that say the words without being among the nearest."""
        known = {one.asset_id for one in neighbours}
        others = [saying.asset_id for saying in sayings if saying.asset_id not in known]
        if not others:
            return []
        among = Asset.objects.filter(pk__in=others)
        return find_neighbours(self.space, self.terms.wanted, among, len(others), exact=True).neighbours

    def _push_down(self, near: list[Neighbour], wanted: Background) -> list[Neighbour]:
        """Nearest first, after a penalty for everything unwanted that a hit resembles."""
        if not self.terms.unwanted or not near:
            return near
        frames = [one.frame_id for one in near]
        lost = dict.fromkeys(frames, 0.0)
        for vector in self.terms.unwanted:
            unwanted = find_background(self.space, self.user, self.sight, vector)
            for frame, likeness in similarities(self.space, vector, frames).items():
                lost[frame] += penalty(likeness, unwanted, wanted)
        pushed = [replace(one, distance=one.distance + lost[one.frame_id]) for one in near]
        return sorted(pushed, key=lambda one: one.distance)

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


def _judged(hit: Ranked, line: Line, background: Background) -> Ranked:
    """What says the words itself needs no model to believe it."""
    share = background.share_below(hit.closeness) if background.known else 0.0
    return replace(hit, well=hit.said or hit.closeness >= line.well, share=round(share, 4))

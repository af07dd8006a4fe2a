"""Which stretch of one film is a stretch of another, from pairs of their shots that look the same.

A pair says by how many seconds the other film is later: by where both shots begin, or where both end, for a stretch
may begin or end in the middle of a shot. Pairs that say the same and lie side by side are one stretch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# Shots begin with a frame of each film's own seconds, so that the same cut may stand a second apart in two of them.
SLACK = 1.5
LEAST = 3.0  # seconds; less is a glimpse


@dataclass(frozen=True)
class Shot:
    """From `start` to `end` seconds of a film; `frame` stands for it."""

    frame: int
    start: float
    end: float


@dataclass(frozen=True)
class Pair:
    """Two shots of two films that look the same, or each other's mirror image."""

    mine: Shot
    other: Shot
    mirrored: bool = False


@dataclass(frozen=True)
class Stretch:
    """`start` to `end` of this film is `other_start` to `other_end` of the other."""

    start: float
    end: float
    other_start: float
    other_end: float
    shots: int
    mirrored: bool

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass
class _Piece:
    start: float
    end: float
    delay: float
    pairs: list[Pair]

    @property
    def told(self) -> Stretch:
        shots, mirrored = len({pair.mine.frame for pair in self.pairs}), self.pairs[0].mirrored
        other_start = max(0.0, self.start + self.delay)
        return Stretch(self.start, self.end, other_start, self.end + self.delay, shots, mirrored)


def stretches(pairs: Sequence[Pair]) -> list[Stretch]:
    """Of the pairs of two films, in the order of this one.

    The longest are told first, and what is told is not told again with another delay, as a long still shot would.
    """
    tried = dict.fromkeys(one for pair in pairs for one in _told_by(pair))
    options = [piece for delay, mirrored in tried for piece in _with_delay(pairs, delay, mirrored)]
    options.sort(key=lambda piece: (-piece.told.seconds, -len(piece.pairs), piece.start))
    found: list[Stretch] = []
    used: set[Pair] = set()
    for piece in options:
        known = used.issuperset(piece.pairs) or any(_overlap(piece.told, one) for one in found)
        if piece.told.seconds >= LEAST and not known:
            found.append(piece.told)
            used.update(piece.pairs)
    return sorted(found, key=lambda one: one.start)


def _told_by(pair: Pair) -> list[tuple[float, bool]]:
    """Delays; where begin and end say the same, the one of the beginning."""
    begin, end = pair.other.start - pair.mine.start, pair.other.end - pair.mine.end
    told = [begin] if abs(begin - end) <= SLACK else [begin, end]
    return [(round(delay, 3), pair.mirrored) for delay in told]


def _with_delay(pairs: Sequence[Pair], delay: float, mirrored: bool) -> list[_Piece]:
    """What lies side by side is joined."""
    joined: list[_Piece] = []
    for piece in sorted(_pieces(pairs, delay, mirrored), key=lambda piece: piece.start):
        if joined and piece.start - joined[-1].end <= SLACK:
            joined[-1].end = max(joined[-1].end, piece.end)
            joined[-1].pairs += piece.pairs
        else:
            joined.append(piece)
    return joined


def _pieces(pairs: Sequence[Pair], delay: float, mirrored: bool) -> Iterator[_Piece]:
    """What both shots of a pair cover, for pairs that agree with the delay."""
    for pair in pairs:
        if pair.mirrored == mirrored and any(abs(told - delay) <= SLACK for told, _ in _told_by(pair)):
            start = max(pair.mine.start, pair.other.start - delay)
            end = min(pair.mine.end, pair.other.end - delay)
            if end > start:
                yield _Piece(start, end, delay, [pair])


def _overlap(one: Stretch, other: Stretch) -> bool:
    """In either film by more than the slack."""
    mine = min(one.end, other.end) - max(one.start, other.start)
    theirs = min(one.other_end, other.other_end) - max(one.other_start, other.other_start)
    return mine > SLACK and theirs > SLACK

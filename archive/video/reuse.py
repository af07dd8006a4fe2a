"""Which stretch of one film is a stretch of another, from pairs of their shots that look the same.

A pair says by how many seconds the other film is later: by where both shots begin, or where both end, for a stretch
may begin or end in the middle of a shot. Pairs that say the same and lie side by side are one stretch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

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
    closeness: float
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
    pairs: list[Pair] = field(default_factory=list)


def stretches(pairs: Sequence[Pair]) -> list[Stretch]:
    """Of the pairs of two films, the longest first to be told; in the order of this film.

    What is told already is not told again with another delay, as a long still shot would.
    """
    found: list[Stretch] = []
    tried = [(delay, mirrored) for pair in pairs for delay, mirrored in _told_by(pair)]
    options = [one for delay, mirrored in dict.fromkeys(tried) for one in _with_delay(pairs, delay, mirrored)]
    for one in sorted(options, key=lambda one: (-one.seconds, -one.shots, one.start)):
        if one.seconds >= LEAST and not any(_overlap(one, known) for known in found):
            found.append(one)
    return sorted(found, key=lambda one: one.start)


def _told_by(pair: Pair) -> list[tuple[float, bool]]:
    """Delays; where begin and end say the same, the one of the beginning."""
    begin, end = pair.other.start - pair.mine.start, pair.other.end - pair.mine.end
    told = [begin] if abs(begin - end) <= SLACK else [begin, end]
    return [(round(delay, 3), pair.mirrored) for delay in told]


def _with_delay(pairs: Sequence[Pair], delay: float, mirrored: bool) -> list[Stretch]:
    pieces = sorted(_pieces(pairs, delay, mirrored), key=lambda piece: piece.start)
    joined: list[_Piece] = []
    for piece in pieces:
        if joined and piece.start - joined[-1].end <= SLACK:
            joined[-1].end = max(joined[-1].end, piece.end)
            joined[-1].pairs += piece.pairs
        else:
            joined.append(piece)
    return [_as_stretch(piece, delay, mirrored) for piece in joined]


def _pieces(pairs: Sequence[Pair], delay: float, mirrored: bool) -> list[_Piece]:
    """What both shots of a pair cover, for pairs that agree with the delay."""
    found = []
    for pair in pairs:
        if pair.mirrored != mirrored or not any(abs(told - delay) <= SLACK for told, _ in _told_by(pair)):
            continue
        start = max(pair.mine.start, pair.other.start - delay)
        end = min(pair.mine.end, pair.other.end - delay)
        if end > start:
            found.append(_Piece(start, end, [pair]))
    return found


def _as_stretch(piece: _Piece, delay: float, mirrored: bool) -> Stretch:
    shots = len({pair.mine.frame for pair in piece.pairs})
    other_start = max(0.0, piece.start + delay)
    return Stretch(piece.start, piece.end, other_start, piece.end + delay, shots, mirrored)


def _overlap(one: Stretch, other: Stretch) -> bool:
    """In either film by more than the slack."""
    mine = min(one.end, other.end) - max(one.start, other.start)
    theirs = min(one.other_end, other.other_end) - max(one.other_start, other.other_start)
    return mine > SLACK and theirs > SLACK

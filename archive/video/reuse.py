"""Which stretch of one film is a stretch of another, from pairs of their shots that look the same.

A pair says by how many seconds the other film is later: by where both shots begin, or where both end, for a stretch
may begin or end in the middle of a shot. Pairs that say the same and lie side by side are one stretch.
"""

from __future__ import annotations

import math
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

# Shots begin with a frame of each film's own seconds, so that the same cut may stand a second apart in two of them.
SLACK = 1.5
LEAST = 3.0  # seconds; less is a glimpse
# Delays so close to each other are tried as one, so that what it takes grows with the pairs and not with their square.
TRIED = SLACK / 3
MOST_PAIRS = 4000  # of two films; those of the longest shots are looked at
MOST_STRETCHES = 50  # of two films
LOOKS_AT_CLOCK = 256


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


class Told(NamedTuple):
    """`whole`: everything was looked at, rather than what the time allowed."""

    stretches: list[Stretch]
    whole: bool


@dataclass
class _Piece:
    start: float
    end: float
    delay: float
    pairs: list[Pair]

    @property
    def seconds(self) -> float:
        return self.end - self.start

    @property
    def told(self) -> Stretch:
        shots, mirrored = len({pair.mine.frame for pair in self.pairs}), self.pairs[0].mirrored
        other_start = max(0.0, self.start + self.delay)
        return Stretch(self.start, self.end, other_start, self.end + self.delay, shots, mirrored)


_Bin = tuple[bool, int]  # mirrored, and the delay in steps of TRIED


def stretches(pairs: Sequence[Pair], until: float = math.inf) -> Told:
    """Of the pairs of two films, in the order of this one; what is known when the clock (monotonic) says `until`.

    The longest are told first, and what is told is not told again with another delay, as a long still shot would.
    """
    known = sorted(pairs, key=_shorter, reverse=True)[:MOST_PAIRS]
    options, whole = _options(known, until)
    options.sort(key=lambda piece: (-piece.seconds, -len(piece.pairs), piece.start))
    found: list[Stretch] = []
    used: set[int] = set()
    for count, piece in enumerate(options):
        if len(found) == MOST_STRETCHES or (count % LOOKS_AT_CLOCK == 0 and time.monotonic() > until):
            whole = False
            break
        mine = {id(pair) for pair in piece.pairs}
        told = piece.told
        if not used.issuperset(mine) and not any(_overlap(told, one) for one in found):
            found.append(told)
            used |= mine
    return Told(sorted(found, key=lambda one: one.start), whole and len(known) == len(pairs))


def _shorter(pair: Pair) -> float:
    return min(pair.mine.end - pair.mine.start, pair.other.end - pair.other.start)


def _options(pairs: Sequence[Pair], until: float) -> tuple[list[_Piece], bool]:
    """What could be told, with each delay that is worth trying; and whether the time allowed for all of them."""
    told_by: dict[_Bin, list[tuple[float, Pair]]] = defaultdict(list)
    for pair in pairs:
        for delay in _told_by(pair):
            told_by[pair.mirrored, math.floor(delay / TRIED)].append((delay, pair))
    options: list[_Piece] = []
    for key, said in told_by.items():
        if time.monotonic() > until:
            return options, False
        ((delay, _),) = Counter(delay for delay, _ in said).most_common(1)
        joined = _joined(_pieces(_agreeing(told_by, key, delay), delay))
        options += [piece for piece in joined if piece.seconds >= LEAST]
    return options, True


def _told_by(pair: Pair) -> list[float]:
    """Delays; where begin and end say the same, the one of the beginning."""
    begin, end = pair.other.start - pair.mine.start, pair.other.end - pair.mine.end
    told = [begin] if abs(begin - end) <= SLACK else [begin, end]
    return [round(delay, 3) for delay in told]


def _agreeing(told_by: dict[_Bin, list[tuple[float, Pair]]], key: _Bin, delay: float) -> list[Pair]:
    """The pairs that say `delay`, which lies in the bin `key`, or nearly; each once."""
    mirrored, middle = key
    reach = math.ceil(SLACK / TRIED)
    near = (told_by.get((mirrored, place), ()) for place in range(middle - reach, middle + reach + 1))
    return list({id(pair): pair for said in near for told, pair in said if abs(told - delay) <= SLACK}.values())


def _joined(pieces: Iterator[_Piece]) -> list[_Piece]:
    """What lies side by side is joined."""
    joined: list[_Piece] = []
    for piece in sorted(pieces, key=lambda piece: piece.start):
        if joined and piece.start - joined[-1].end <= SLACK:
            joined[-1].end = max(joined[-1].end, piece.end)
            joined[-1].pairs += piece.pairs
        else:
            joined.append(piece)
    return joined


def _pieces(pairs: Sequence[Pair], delay: float) -> Iterator[_Piece]:
    """What both shots of each pair cover."""
    for pair in pairs:
        start = max(pair.mine.start, pair.other.start - delay)
        end = min(pair.mine.end, pair.other.end - delay)
        if end > start:
            yield _Piece(start, end, delay, [pair])


def _overlap(one: Stretch, other: Stretch) -> bool:
    """In either film by more than the slack."""
    mine = min(one.end, other.end) - max(one.start, other.start)
    theirs = min(one.other_end, other.other_end) - max(one.other_start, other.other_start)
    return mine > SLACK and theirs > SLACK

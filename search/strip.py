"""The strip below a player: similarity over time as the outline of an SVG path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from search.hits import Moment

WIDTH, HEIGHT = 1000, 100
MOST_BARS = 500


@dataclass(frozen=True)
class Span:
    """Of a moment, in units of the strip."""

    left: float
    width: float


@dataclass(frozen=True)
class Strip:
    """In a view box of `WIDTH` by `HEIGHT`: an outline of similarity, and where the moments that match well lie."""

    outline: str
    spans: tuple[Span, ...]


def draw_strip(
    seconds: Sequence[tuple[float, float]], duration: float, moments: Sequence[Moment] = (), usual: float | None = None
) -> Strip:
    """`seconds`: (second, closeness). The floor is what is usual for pictures at large, the ceiling the best second:
    a strip shows where, not how well."""
    length = max(duration, seconds[-1][0] if seconds else 0.0, 0.001)
    spans = tuple(_span(moment, length) for moment in moments if moment.well)
    if not seconds:
        return Strip("", spans)
    bars = _bars(seconds, length)
    known = [bar for bar in bars if bar is not None]
    low = min(known) if usual is None else min(usual, max(known))
    reach = max(max(known) - low, 1e-6)
    heights: list[float] = []
    for bar in bars:  # a second without a frame looks as the one before it
        heights.append(heights[-1] if bar is None and heights else max(0.0, ((bar or low) - low) / reach))
    step = WIDTH / len(heights)
    points = "".join(
        f"V{HEIGHT - share * HEIGHT:.1f}H{min(WIDTH, (n + 1) * step):.1f}" for n, share in enumerate(heights)
    )
    return Strip(f"M0 {HEIGHT}{points}V{HEIGHT}Z", spans)


def _bars(seconds: Sequence[tuple[float, float]], length: float) -> list[float | None]:
    """The best closeness in each part of the time."""
    count = max(1, min(MOST_BARS, len(seconds)))
    bars: list[float | None] = [None] * count
    for at, closeness in seconds:
        n = min(int(at / length * count), count - 1)
        held = bars[n]
        bars[n] = closeness if held is None else max(held, closeness)
    return bars


def _span(moment: Moment, length: float) -> Span:
    left = min(moment.start / length, 1.0) * WIDTH
    right = min(moment.end / length, 1.0) * WIDTH
    return Span(round(left, 1), round(max(right - left, 2.0), 1))

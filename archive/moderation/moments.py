"""Moments of a video: stretches in which a concept is, each named by its best frame. Of too many the worst are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

MOST_MOMENTS = 50
TOGETHER = 2.5  # seconds between two frames of one moment

Moment = dict[str, Any]  # as `Flag.moments` has them


def moments_of(frames: list[tuple[float, int, float]]) -> list[Moment]:
    """Frames (second, id, score) as stretches: what lies close together is one.

    Of too many the ones with the highest scores, in the order of the video.
    """
    stretches: list[list[tuple[float, int, float]]] = []
    for frame in sorted(frames):
        if stretches and frame[0] - stretches[-1][-1][0] <= TOGETHER:
            stretches[-1].append(frame)
        else:
            stretches.append([frame])
    return worst_of([_moment(stretch) for stretch in stretches])


def merged(before: Sequence[Moment], after: Sequence[Moment]) -> list[Moment]:
    """A long video comes in parts, and may be looked at again: what overlaps or lies close together is one moment,
    named by the better frame, of equal ones by the later news."""
    found: list[Moment] = []
    for moment in sorted((*after, *before), key=lambda one: one["start"]):
        if found and moment["start"] - found[-1]["end"] <= TOGETHER:
            best = max(found[-1], moment, key=lambda one: one["score"])
            found[-1] = {**best, "start": found[-1]["start"], "end": max(found[-1]["end"], moment["end"])}
        else:
            found.append(moment)
    return worst_of(found)


def worst_of(moments: Sequence[Moment]) -> list[Moment]:
    """The MOST_MOMENTS with the highest scores, in the order of the video."""
    worst = sorted(moments, key=lambda one: -one["score"])[:MOST_MOMENTS]
    return sorted(worst, key=lambda one: one["start"])


def _moment(stretch: list[tuple[float, int, float]]) -> Moment:
    at, frame, best = max(stretch, key=lambda one: one[2])
    return {"frame": frame, "at": at, "start": stretch[0][0], "end": stretch[-1][0], "score": round(best, 4)}

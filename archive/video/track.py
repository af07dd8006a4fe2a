"""The track of previews: which part of which sprite shows which seconds, as WebVTT with media fragments.

https://www.w3.org/TR/webvtt1/ and https://www.w3.org/TR/media-frags/: players know this pair.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from archive.video.sprites import Sprite

MOST_CUES = 20_000


def write_track(sprite: Sprite, pictures: Sequence[str], duration: float) -> str:
    """`pictures`: the addresses of the grids, in order; a cue for each still that lies inside the video."""
    a_grid = sprite.columns * sprite.rows
    count = min(math.ceil(duration / sprite.every_seconds), a_grid * len(pictures), MOST_CUES)
    return "\n".join(["WEBVTT", "", *(_cue(sprite, pictures, n, duration) for n in range(count))])


def _cue(sprite: Sprite, pictures: Sequence[str], n: int, duration: float) -> str:
    grid, place = divmod(n, sprite.columns * sprite.rows)
    row, column = divmod(place, sprite.columns)
    begin = n * sprite.every_seconds
    end = min(begin + sprite.every_seconds, duration)
    box = f"{column * sprite.width},{row * sprite.height},{sprite.width},{sprite.height}"
    return f"{clock(begin)} --> {clock(end)}\n{pictures[grid]}#xywh={box}\n"


def clock(seconds: float) -> str:
    """As WebVTT has it: 00:01:02.500."""
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"

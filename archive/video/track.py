"""The track of previews: which part of which sprite shows which seconds, as WebVTT with media fragments.

https://www.w3.org/TR/webvtt1/ and https://www.w3.org/TR/media-frags/: players know this pair.
"""

from __future__ import annotations

from archive.video.sprites import Sprite


def write_track(sprite: Sprite, picture: str, duration: float) -> str:
    """`picture`: the address of the sprite; a cue for each of its stills."""
    return "\n".join(["WEBVTT", "", *(_cue(sprite, picture, n, duration) for n in range(sprite.count))])


def _cue(sprite: Sprite, picture: str, n: int, duration: float) -> str:
    begin = n * sprite.every_seconds
    left, top = sprite.place(begin + sprite.every_seconds / 2)
    end = min(begin + sprite.every_seconds, max(duration, begin + 0.001))
    return f"{clock(begin)} --> {clock(end)}\n{picture}#xywh={left},{top},{sprite.width},{sprite.height}\n"


def clock(seconds: float) -> str:
    """As WebVTT has it: 00:01:02.500."""
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"

"""What the page of a video plays and shows: where it starts, its shots with their stills, its previews."""

from __future__ import annotations

import math
from dataclasses import dataclass

from django.urls import reverse

from archive.models import Asset, Frame, Kind
from archive.video.playable import is_given_up, playable_key
from archive.video.sprites import SPEC as SPRITE
from archive.video.sprites import sprite_of
from archive.video.track import write_track

MOST_SHOTS = 600
LONGEST = 1_000_000.0  # seconds


@dataclass(frozen=True)
class Shot:
    """A run of similar frames, in seconds; `still` is the address of its picture, or empty."""

    start: float
    end: float
    at: float
    still: str

    @property
    def length(self) -> float:
        return self.end - self.start


@dataclass(frozen=True)
class Player:
    """`source`: the address of what is played, with the second to begin at, or empty until there is something."""

    source: str
    media_type: str
    at: float | None
    duration: float
    shots: list[Shot]  # all, or as many as a page bears, evenly over the video
    shots_in_all: int
    previews: bool  # whether there are small stills for the seconds under the pointer
    given_up: bool  # nothing is there to play, and nothing is being made

    @property
    def ticks(self) -> list[tuple[float, float]]:
        """Every second shot as left edge and width, in thousandths of the length: so that edges can be seen."""
        whole = max(self.duration, self.shots[-1].end if self.shots else 0.0, 0.001)
        return [(1000 * shot.start / whole, 1000 * shot.length / whole) for shot in self.shots[::2]]


def player_of(asset: Asset, at: str = "") -> Player | None:
    """For a video; `at` is the second to open it at, as it stands in an address."""
    if asset.kind != Kind.VIDEO:
        return None
    found = playable_key(asset)
    begin = read_second(at)
    shots, in_all = shots_of(asset)
    source = reverse("playable", args=[asset.uuid]) if found else ""
    if source and begin:
        source += f"#t={begin:.2f}"
    return Player(
        source=source,
        media_type=found[1] if found else "",
        at=begin,
        duration=asset.duration or 0.0,
        shots=shots,
        shots_in_all=in_all,
        previews=has_sprite(asset),
        given_up=found is None and is_given_up(asset),
    )


def shots_of(asset: Asset) -> tuple[list[Shot], int]:
    """In the order of time, and how many there are: of very many every second, third ... is shown."""
    representatives = Frame.objects.filter(asset=asset, representative=True)
    ids = list(representatives.order_by("at").values_list("pk", flat=True))
    shown = ids if len(ids) <= MOST_SHOTS else [ids[n * len(ids) // MOST_SHOTS] for n in range(MOST_SHOTS)]
    frames = representatives.filter(pk__in=shown).order_by("at")
    return [_shot(asset, frame) for frame in frames], len(ids)


def _shot(asset: Asset, frame: Frame) -> Shot:
    return Shot(
        start=frame.at if frame.start is None else frame.start,
        end=frame.at if frame.end is None else frame.end,
        at=frame.at,
        still=still_url(asset, frame.pk) if frame.still else "",
    )


def still_url(asset: Asset, frame: int) -> str:
    return reverse("still", args=[asset.uuid, frame])


def read_second(raw: str) -> float | None:
    """A second of a video from an address; None for what makes none."""
    try:
        found = float(raw)
    except ValueError:
        return None
    return found if math.isfinite(found) and 0 <= found <= LONGEST else None


def previews_of(asset: Asset) -> str | None:
    """The track of previews; None until there is a sprite."""
    sprite = sprite_of(asset)
    if sprite is None or not has_sprite(asset):
        return None
    return write_track(sprite, reverse("rendition", args=[asset.uuid, SPRITE]), asset.duration or 0.0)


def has_sprite(asset: Asset) -> bool:
    return asset.renditions.filter(spec=SPRITE).exists()

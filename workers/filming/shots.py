"""What a made film shows, picture by picture: stills over which the camera moves slowly, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image

Size = tuple[int, int]


@dataclass(frozen=True)
class Shot:
    """A still for some seconds. `closer`: how much larger it is at the end than at the beginning, 1.0 for not at all;
    below 1.0 the camera goes back."""

    still: Image.Image
    seconds: float
    closer: float = 1.12

    def at(self, share: float, size: Size) -> Image.Image:
        """As it is seen after a share of its time: the middle of the still, filling `size`."""
        most = max(1.0, self.closer, 1 / self.closer)
        begin, end = (1.0, most) if self.closer >= 1 else (most, 1.0)
        zoom = begin + (end - begin) * share
        width, height = self.still.size
        wide = min(width, height * size[0] / size[1]) / zoom
        high = wide * size[1] / size[0]
        left, top = (width - wide) / 2, (height - high) / 2
        return self.still.resize(size, Image.Resampling.BILINEAR, box=(left, top, left + wide, top + high))


def blank(seconds: float, colour: str = "black") -> Shot:
    """One colour, as films have before and behind them."""
    return Shot(Image.new("RGB", (32, 18), colour), seconds, closer=1.0)


def pictures_of(shots: Sequence[Shot], fps: float, size: Size) -> Iterator[Image.Image]:
    """Every picture of a film, in order."""
    for shot in shots:
        count = round(shot.seconds * fps)
        for number in range(count):
            yield shot.at(number / max(1, count - 1), size)

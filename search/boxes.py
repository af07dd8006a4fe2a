"""A box drawn on a picture: the part of it that is meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

ROUNDED = 0.01
LEAST = 0.02  # of a side: less is a slip of the hand


@dataclass(frozen=True)
class Box:
    """Shares of the width and the height, from the upper left corner, each in [0, 1]."""

    left: float
    top: float
    width: float
    height: float

    def __str__(self) -> str:
        return ",".join(f"{number:g}" for number in (self.left, self.top, self.width, self.height))

    @classmethod
    def read(cls, raw: str) -> Box:
        """From "0.1,0.2,0.5,0.5"; raises `ValueError` with a sentence."""
        try:
            left, top, width, height = (round(float(part), 4) for part in raw.split(","))
        except ValueError:
            raise ValueError("A box is four shares of the picture: left,top,width,height.") from None
        # Shares that were rounded one by one may add up to a little more than the whole.
        width, height = _within(left, width), _within(top, height)
        inside = 0 <= left <= 1 and 0 <= top <= 1 and left + width <= 1 + 1e-9 and top + height <= 1 + 1e-9
        if not inside or not (width >= LEAST and height >= LEAST):
            raise ValueError("The box does not lie inside the picture, or is too small to see anything in it.")
        return cls(left, top, width, height)

    def cut(self, picture: Image.Image) -> Image.Image:
        """That part of `picture`, at least one pixel."""
        left, top = round(self.left * picture.width), round(self.top * picture.height)
        right = max(left + 1, round((self.left + self.width) * picture.width))
        bottom = max(top + 1, round((self.top + self.height) * picture.height))
        return picture.crop((left, top, min(right, picture.width), min(bottom, picture.height)))


def _within(edge: float, size: float) -> float:
    return round(1 - edge, 4) if 1 < edge + size < 1 + ROUNDED else size

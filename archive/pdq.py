"""What a picture looks like, in 256 bits: PDQ, the perceptual hash that Meta published, with what it leaves out.

PDQ keeps the signs of a 64 x 64 picture's lowest waves, so it survives another size, another compression,
another brightness and small writing on it. It sees no colour and judges an empty frame like any other:
`colours` and `spread` are there for that.
Source: github.com/facebook/ThreatExchange, "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm".
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

import numpy as np
import numpy.typing as npt
import pdqhash
from PIL import Image, ImageStat

BITS = 256
# PDQ averages whatever it is given down to 64 x 64. Five pixels a cell have a middle one: then a mirrored
# picture has the mirrored hash, to a few bits. With four, as 256 gives, they are thirty bits apart.
SIDE = 320
CELLS = 8
COARSE = 32  # the noise of a dark frame is gone at this size, and what can be recognised is not
GREY = 4.0  # Cb and Cr that are nowhere further from the middle belong to a black-and-white picture
WAVES = 16

Bits = npt.NDArray[np.bool_]
Cells = npt.NDArray[np.float32]  # (8, 8, 2): Cb and Cr, 0 in the middle


@dataclass(frozen=True)
class Look:
    """`bits`: PDQ, 256 of them. `quality`: PDQ's own, 0 (nothing to see) to 100. `spread`: standard deviation of
    the lightness, seen coarsely, 0 to 128. `colours`: Cb and Cr of 8 x 8 cells, row by row, 128 bytes."""

    bits: Bits
    quality: int
    spread: float
    colours: bytes


def look_at(data: bytes) -> Look:
    """From the bytes of a rendition (JPEG) or a still (WebP). What Pillow raises on a damaged one comes through."""
    picture = Image.open(BytesIO(data), formats=["JPEG", "WEBP"])
    picture.draft("YCbCr", (SIDE, SIDE))
    small = picture.convert("YCbCr").resize((SIDE, SIDE), Image.Resampling.BOX)
    light = small.getchannel(0)
    bits, quality = pdqhash.compute(np.repeat(np.asarray(light)[:, :, None], 3, axis=2))
    coarse = light.resize((COARSE, COARSE), Image.Resampling.BOX)
    cells = np.asarray(small.resize((CELLS, CELLS), Image.Resampling.BOX))
    return Look(
        bits=np.asarray(bits, dtype=np.bool_),
        quality=int(quality),
        spread=float(ImageStat.Stat(coarse).stddev[0]),
        colours=cells[:, :, 1:].tobytes(),
    )


def turned(bits: Bits) -> list[Bits]:
    """The hashes of the picture turned and mirrored in all eight ways, the picture as it is first.

    They follow from the one: turning a picture transposes its waves, mirroring turns the sign of every other.
    """
    waves = bits.reshape(WAVES, WAVES)
    # The last bit is the lowest wave, and waves are counted from 1.
    odd = (np.arange(WAVES) % 2 == 1)[None, :]
    ways = []
    for grid in (waves, waves.T):
        ways += [grid, grid ^ odd, grid ^ odd.T, grid ^ odd ^ odd.T]
    return [way.reshape(BITS) for way in ways]


def as_digits(bits: Bits) -> str:
    """As Postgres reads and writes them."""
    return "".join(["1" if bit else "0" for bit in bits.tolist()])


def from_digits(digits: str) -> Bits:
    return np.asarray(np.frombuffer(digits.encode(), np.uint8) == ord("1"))


def turned_colours(colours: bytes) -> list[Cells]:
    """The cells of the picture in the eight ways of `turned`, in its order."""
    cells = np.frombuffer(colours, np.uint8).reshape(CELLS, CELLS, 2).astype(np.float32) - 128
    ways = []
    for grid in (cells, cells.transpose(1, 0, 2)):
        ways += [grid, grid[:, ::-1], grid[::-1], grid[::-1, ::-1]]
    return ways


def colour_difference(one: Cells, other: Cells) -> float:
    """The largest difference of two pictures' cells in Cb and Cr, of 0 to 360; 0 where one of them is grey."""
    if min(np.abs(one).max(), np.abs(other).max()) < GREY:
        return 0.0
    return float(np.sqrt(((one - other) ** 2).sum(axis=2)).max())

"""Does a GIF or a WebP move? Told by their blocks, without decoding anything."""

from __future__ import annotations

from pathlib import Path
from typing import IO

# A WebP says so in a bit of its first block, VP8X.
WEBP_FLAGS_AT, MOVES = 20, 0x02
EXTENSION, PICTURE = 0x21, 0x2C
# A browser waits for the answer. What has more blocks than that before its second picture is taken for one picture;
# a first picture of 25 MB has as many.
MOST_BLOCKS = 100_000


def is_animated(path: Path, media_type: str) -> bool:
    """Whether it holds more than one picture. False for every other type, and for what is damaged."""
    if media_type == "image/webp":
        with path.open("rb") as file:
            head = file.read(32)
        return head[12:16] == b"VP8X" and bool(head[WEBP_FLAGS_AT] & MOVES)
    if media_type == "image/gif":
        with path.open("rb") as file:
            return _second_picture(file)
    return False


def _second_picture(file: IO[bytes]) -> bool:
    """Walk over the blocks of a GIF (GIF89a specification, sections 17 to 27)."""
    head = file.read(13)
    if len(head) < 13:
        return False
    _skip_colours(file, head[10])
    pictures, left = 0, MOST_BLOCKS
    while left and (kind := file.read(1)):
        if kind[0] == EXTENSION:
            file.read(1)
        elif kind[0] == PICTURE:
            described = file.read(9)
            if len(described) < 9:
                return False
            pictures += 1
            if pictures > 1:
                return True
            _skip_colours(file, described[8])
            file.read(1)
        else:
            break
        left = _skip_blocks(file, left - 1)
    return False


def _skip_colours(file: IO[bytes], packed: int) -> None:
    if packed & 0x80:
        file.seek(3 << ((packed & 7) + 1), 1)


def _skip_blocks(file: IO[bytes], left: int) -> int:
    """How many of `left` blocks may still be walked over; 0 where the file ends or there are more."""
    while left:
        size = file.read(1)
        if not size:
            return 0
        if not size[0]:
            return left
        file.seek(size[0], 1)
        left -= 1
    return 0

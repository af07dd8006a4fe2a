"""Does a GIF or a WebP move? Told by their blocks, without decoding anything."""

from __future__ import annotations

from pathlib import Path
from typing import IO

# A WebP says so in a bit of its first block, VP8X.
WEBP_FLAGS_AT, MOVES = 20, 0x02
EXTENSION, PICTURE = 0x21, 0x2C
MOST_BLOCKS = 1_000_000


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
    pictures = 0
    while (kind := file.read(1)) and pictures < 2:
        if kind[0] == EXTENSION:
            file.read(1)
        elif kind[0] == PICTURE:
            described = file.read(9)
            if len(described) < 9:
                return False
            _skip_colours(file, described[8])
            file.read(1)
            pictures += 1
        else:
            break
        if not _skip_blocks(file):
            break
    return pictures > 1


def _skip_colours(file: IO[bytes], packed: int) -> None:
    if packed & 0x80:
        file.seek(3 << ((packed & 7) + 1), 1)


def _skip_blocks(file: IO[bytes]) -> bool:
    for _ in range(MOST_BLOCKS):
        size = file.read(1)
        if not size:
            return False
        if not size[0]:
            return True
        file.seek(size[0], 1)
    return False

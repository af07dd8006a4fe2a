"""A part of a file, as players and interrupted downloads ask for it: one range of bytes (RFC 9110, section 14)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

BLOCK = 256 * 1024
# One range. Several at once are answered with the whole file, as the standard allows: no player asks for them, and
# many small ones are a way to keep a server busy.
ONE = re.compile(r"bytes\s*=\s*(\d{0,19})\s*-\s*(\d{0,19})\s*", re.IGNORECASE | re.ASCII)

# What a player gets at once, whatever it asks for: it asks on (RFC 9110, section 15.3.7), and a paused one holds no
# thread. Downloads that go on where they broke off get all they ask for, for few of these tools ask on.
MOST_PLAYED = 8 * 1024 * 1024


class Unsatisfiable(Exception):
    """Asks for bytes behind the end."""


def read_range(header: str, size: int) -> tuple[int, int] | None:
    """The first and the last byte that a `Range` header asks for; None where it is none that is understood.

    Raises `Unsatisfiable` where nothing of a file of `size` bytes lies in it.
    """
    asked = ONE.fullmatch(header.strip())
    if asked is None or asked[1] == asked[2] == "":
        return None
    if not asked[1]:  # the last so many
        count = min(int(asked[2]), size)
        if not count:
            raise Unsatisfiable
        return size - count, size - 1
    first, last = int(asked[1]), int(asked[2] or size - 1)
    if asked[2] and last < first:
        return None
    if first >= size:
        raise Unsatisfiable
    return first, min(last, size - 1)


def still_meant(if_range: str, etag: str) -> bool:
    """Whether the part that somebody has is of this file: `If-Range` names the file by its tag, or there is none.

    Dates are not compared: they are never sent.
    """
    return not if_range or if_range.strip() == etag


class Part:
    """`count` bytes of an open file from `first` on, in blocks: never all of them in memory. Closes the file."""

    def __init__(self, file: IO[bytes], first: int, count: int) -> None:
        self.file, self.left = file, count
        file.seek(first)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        block = self.file.read(min(BLOCK, self.left)) if self.left > 0 else b""
        if not block:
            raise StopIteration
        self.left -= len(block)
        return block

    def close(self) -> None:
        self.file.close()

"""The boxes of a piece are found by their lengths, whatever words its media data hold."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import pytest

from archive.decoder.boxes import fragments, walk
from archive.decoder.films.pieces import at_times, make_piece
from archive.decoder.specs import MAX_PIXELS
from archive.video.joining import first_time, header_length
from tests import films


@pytest.fixture
def piece(tmp_path: Path) -> bytes:
    path = films.make_film(tmp_path / "film.avi", films.scenes(2, 2.5, (64, 48)), audio=True)
    return make_piece(BytesIO(path.read_bytes()), 1000, 6000, 30, MAX_PIXELS).data


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), name) + body


@pytest.mark.parametrize("planted", [b"traf", b"traf tfhd", b"moof traf tfhd tfdt" + bytes(16)])
def test_words_in_media_data_are_no_boxes(piece: bytes, planted: bytes) -> None:
    middle = next(found for found in walk(piece) if found.name == b"mdat").end
    other = piece[: header_length(piece)] + box(b"free", planted) + piece[header_length(piece) : middle]
    other += box(b"mdat", planted) + piece[middle:] + box(b"mdat", planted)
    moved = at_times(other, {1: 90_000, 2: 48_000})
    assert [one.time - before.time for one, before in zip(fragments(moved), fragments(piece), strict=True)] == [
        {1: 90_000, 2: 48_000}[one.track] for one in fragments(piece)
    ]
    assert len(moved) == len(other)
    assert moved.endswith(box(b"mdat", planted))
    assert (first_time(piece), first_time(moved)) == (90_000, 180_000)


@pytest.mark.parametrize("torn", [b"\0\0\0\4moof", b"\0\0\1\0moof", box(b"moof", box(b"traf", b""))])
def test_boxes_that_cannot_be_are_refused(torn: bytes) -> None:
    with pytest.raises(ValueError, match=r"cannot be|without a long time"):
        list(fragments(torn))

"""Films whose timestamps begin anew: recordings that were joined byte by byte."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest

from archive.decoder.films.footage import Footage
from archive.decoder.films.jobs import StretchReader, look_at_film, open_reel, read_stretch
from archive.decoder.films.pieces import PieceMaker
from archive.decoder.films.watched import Watched
from archive.decoder.specs import MAX_PIXELS, POSTER_SPECS
from tests import films
from tests.archive.test_films import difference, seen

PARTS = (12.0, 8.0, 6.0)
WHOLE = int(sum(PARTS))
SHOWN = [(picture, 2.0) for picture, _ in films.scenes(WHOLE // 2, 2.0, (64, 48))]


@pytest.fixture(params=[".mpg", ".ts"])
def joined(request: pytest.FixtureRequest, tmp_path: Path) -> bytes:
    data, begin = b"", 0
    for seconds in PARTS:
        shown = SHOWN[begin : begin + int(seconds / 2)]
        begin += len(shown)
        data += films.make_film(tmp_path / f"part{request.param}", shown, audio=True, begin=10.0).read_bytes()
    return data


def test_its_length_is_that_of_all_parts_and_a_note_says_so(joined: bytes) -> None:
    known = look_at_film(BytesIO(joined), POSTER_SPECS, 20, MAX_PIXELS)
    assert known.duration == pytest.approx(WHOLE, abs=0.6)
    assert "Its timestamps begin anew within it, as where films were joined: they are counted on." in known.notes


@pytest.mark.parametrize("kept", [True, False], ids=["one reader", "anew for each stretch"])
def test_each_second_of_all_parts_is_found(joined: bytes, kept: bool) -> None:
    frames: list[tuple[int, bytes]] = []
    reader, ended = StretchReader(BytesIO(joined), MAX_PIXELS), False
    for first_ms in range(0, 1000 * WHOLE + 4000, 4000):
        assert not ended or first_ms >= 1000 * WHOLE
        if kept and not ended:
            stretch = reader.read(first_ms, first_ms + 4000, 1000, 20)
        else:
            stretch = read_stretch(BytesIO(joined), first_ms, first_ms + 4000, 1000, 20, MAX_PIXELS)
        frames += stretch.frames
        ended = stretch.ended
    assert ended
    assert [at // 1000 for at, _ in frames if at < 1000 * WHOLE] == list(range(WHOLE))
    for at, data in frames:
        closest = min(range(len(SHOWN)), key=lambda scene: difference(seen(data), SHOWN[scene][0]))
        assert closest in {(at - 600) // 2000, at // 2000}  # where parts meet the sound is a little longer


def test_the_made_film_has_all_pictures_and_all_sound(joined: bytes) -> None:
    maker = PieceMaker(BytesIO(joined), MAX_PIXELS)
    pictures: list[float] = []
    sounds: list[int] = []
    first_ms, ended = 0, False
    while not ended:
        piece = maker.make(first_ms, first_ms + 5000, 20)
        if piece.data:
            with av.open(BytesIO(piece.data), "r") as made:
                pictures += [float(frame.time or 0) for frame in made.decode(video=0)]
            with av.open(BytesIO(piece.data), "r") as made:
                sounds += [packet.pts for packet in made.demux(audio=0) if packet.size and packet.pts is not None]
            with av.open(BytesIO(piece.data), "r") as made:
                loud = [np.abs(frame.to_ndarray()).max() for frame in made.decode(audio=0)]
            assert np.mean(np.array(loud) > 0.05) > 0.9
        first_ms, ended = piece.reached_ms, piece.ended
    assert len(pictures) == 10 * WHOLE
    assert np.all(np.diff(pictures) > 0)
    assert set(np.diff(sounds)) == {1024}


def test_a_film_whose_times_go_on_is_not_taken_for_one(tmp_path: Path) -> None:
    for suffix in (".mpg", ".ts", ".mp4"):
        path = films.make_film(tmp_path / f"film{suffix}", films.scenes(4, 5.0, (64, 48)), audio=True)
        reel = open_reel(_watched(path).reader(), MAX_PIXELS, _watched(path))
        assert isinstance(reel, Footage)
        assert not reel.anew


def _watched(path: Path) -> Watched:
    watched = Watched(BytesIO(path.read_bytes()))
    watched.allow(20)
    return watched

"""Films that stand still for long: slides, screen recordings, one frame in half a minute."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest

from archive.decoder.films.jobs import read_stretch
from archive.decoder.films.pieces import PieceMaker, make_piece
from archive.decoder.specs import MAX_PIXELS
from tests import films

SECONDS = 5.0
SMALL = (64, 48)


def times_of(path: Path, step_ms: int, first_ms: int = 0) -> list[int]:
    stretch = read_stretch(BytesIO(path.read_bytes()), first_ms, 3_600_000, step_ms, SECONDS, MAX_PIXELS)
    assert stretch.ended
    return [at for at, _ in stretch.frames]


def test_a_film_that_ends_long_before_the_next_step_ends(tmp_path: Path) -> None:
    path = films.make_film(tmp_path / "film.mp4", films.scenes(3, 75.0, SMALL), fps=2, gop=20)
    assert times_of(path, 30_000) == list(range(0, 225_000, 30_000))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
@pytest.mark.parametrize("still", [45, 60, 75])
def test_pictures_that_stand_for_long_are_each_found(tmp_path: Path, suffix: str, still: int) -> None:
    path = films.make_film(tmp_path / f"slides{suffix}", films.scenes(5, still, SMALL), fps=1 / still, gop=1)
    begins = [1000 * still * number for number in range(5)]
    assert times_of(path, 1000) == begins
    assert times_of(path, 1000, begins[1] + 20_000) == begins[2:]


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_a_piece_between_two_frames_is_made(tmp_path: Path, suffix: str) -> None:
    path = films.make_film(tmp_path / f"slides{suffix}", films.scenes(3, 25.0, SMALL), fps=1 / 25, gop=1)
    data = path.read_bytes()
    found = []
    for first_ms in (0, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000):
        piece = make_piece(BytesIO(data), first_ms, first_ms + 10_000, SECONDS, MAX_PIXELS)
        assert (piece.reached_ms, piece.ended) == (first_ms + 10_000, first_ms == 60_000)
        if piece.data:
            with av.open(BytesIO(piece.data), "r") as made:
                found += [round(float(frame.time or 0)) for frame in made.decode(video=0)]
    assert found == [0, 25, 50]


@pytest.mark.parametrize("kept", [True, False], ids=["one maker", "anew for each piece"])
@pytest.mark.parametrize("suffix", [".mkv", ".avi"])
def test_sound_goes_on_under_a_picture_that_stands(tmp_path: Path, suffix: str, kept: bool) -> None:
    path = films.make_film(tmp_path / f"talk{suffix}", films.scenes(3, 25.0, SMALL), fps=1 / 25, gop=1, audio=True)
    data = path.read_bytes()
    maker = PieceMaker(BytesIO(data), MAX_PIXELS)
    pictures, sounds, ends = [], [], []
    for first_ms in range(0, 80_000, 10_000):
        if not kept:
            maker = PieceMaker(BytesIO(data), MAX_PIXELS)
        piece = maker.make(first_ms, first_ms + 10_000, SECONDS)
        ends.append(piece.ended)
        with av.open(BytesIO(piece.data), "r") as made:
            pictures += [round(float(frame.time or 0)) for frame in made.decode(video=0)]
        with av.open(BytesIO(piece.data), "r") as made:
            sounds += [packet.pts for packet in made.demux(audio=0) if packet.size and packet.pts is not None]
        with av.open(BytesIO(piece.data), "r") as made:
            loud = [np.abs(frame.to_ndarray()).max() for frame in made.decode(audio=0)]
        assert min(loud[3:-3]) > 0.05
    assert pictures == [0, 10, 25, 30, 40, 50, 60, 70]
    assert set(np.diff(sounds)) == {1024}
    assert sounds[-1] / 48_000 == pytest.approx(75, abs=0.2)
    assert ends == [False] * 7 + [True]


def test_where_nothing_is_heard_no_picture_is_repeated(tmp_path: Path) -> None:
    path = films.make_film(tmp_path / "slides.mkv", films.scenes(3, 25.0, SMALL), fps=1 / 25, gop=1)
    maker = PieceMaker(BytesIO(path.read_bytes()), MAX_PIXELS)
    made = [maker.make(first_ms, first_ms + 10_000, SECONDS) for first_ms in range(0, 70_000, 10_000)]
    assert [bool(piece.data) for piece in made] == [True, False, True, False, False, True, False]
    assert [piece.ended for piece in made] == [False] * 6 + [True]

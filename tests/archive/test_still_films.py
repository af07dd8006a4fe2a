"""Films that stand still for long: slides, screen recordings, one frame in half a minute."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import av
import pytest

from archive.decoder.films.jobs import read_stretch
from archive.decoder.films.pieces import make_piece
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
    for first_ms in (0, 10_000, 20_000, 30_000, 40_000, 50_000):
        piece = make_piece(BytesIO(data), first_ms, first_ms + 10_000, SECONDS, MAX_PIXELS)
        assert (piece.reached_ms, piece.ended) == (first_ms + 10_000, first_ms == 50_000)
        if piece.data:
            with av.open(BytesIO(piece.data)) as made:
                found += [round(float(frame.time)) for frame in made.decode(video=0)]
    assert found == [0, 25, 50]

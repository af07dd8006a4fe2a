"""The films of the demo: what they show at which second, whose photographs, and that they are the same each time."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from PIL import Image

from archive.decoder.clean import MAX_TEXT
from archive.pdq import Bits, look_at
from tests.prepared import as_jpeg
from workers.filming.sample import (
    BLACK,
    EACH,
    FILMS,
    RECURRING,
    SIZE,
    Photograph,
    about,
    credit_of,
    still_of,
    write_films,
)
from workers.filming.shots import Shot, blank, pictures_of
from workers.filming.writing import write_film


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return list(write_films(tmp_path_factory.mktemp("films")))


def second(path: Path, at: float) -> Image.Image:
    with av.open(str(path)) as container:
        container.seek(int(at * av.time_base))
        for frame in container.decode(video=0):
            if frame.time is not None and frame.time >= at:
                return Image.fromarray(frame.to_ndarray(format="rgb24"))
    raise AssertionError(at)


def bits(picture: Image.Image) -> Bits:
    return look_at(as_jpeg(picture)).bits


def differ(one: Image.Image, other: Image.Image) -> int:
    """Bits of PDQ, of 256."""
    return int(np.count_nonzero(bits(one) != bits(other)))


def test_each_film_shows_its_scenes_one_after_the_other(films: list[Path]) -> None:
    for film, path in zip(FILMS, films, strict=True):
        for number, source in enumerate(film.sources):
            middle = BLACK + EACH * (number + 0.5)
            shown = Shot(still_of(source), EACH, 1.025).at(1.0, SIZE)
            assert differ(second(path, middle), shown) < 40, (film.filename, number)
            if number:
                assert differ(second(path, middle - EACH), shown) > 60, (film.filename, number)


def test_a_stretch_of_the_first_recurs_in_the_second(films: list[Path]) -> None:
    begins = [BLACK + EACH * film.sources.index(RECURRING[0]) for film in FILMS]
    for later in (0.5, 4.0, 6.0, 9.5):
        one, other = (second(path, begin + later) for path, begin in zip(films, begins, strict=True))
        assert differ(one, other) < 24


def test_they_begin_black_and_are_as_long_as_their_scenes(films: list[Path]) -> None:
    for film, path in zip(FILMS, films, strict=True):
        assert np.asarray(second(path, 0.4)).max() < 24
        with av.open(str(path)) as container:
            assert container.duration is not None
            assert container.duration / av.time_base == pytest.approx(BLACK + EACH * len(film.sources), abs=0.2)


def test_browsers_play_them(films: list[Path]) -> None:
    found = []
    for path in films:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            found.append((path.suffix, stream.codec_context.name.split("-")[-1], stream.codec_context.pix_fmt))
    assert found == [(".mp4", "h264", "yuv420p"), (".webm", "vp9", "yuv420p")]
    assert films[0].read_bytes().index(b"moov") < 64  # it plays before it is whole


def test_they_name_whose_photographs_they_show(films: list[Path]) -> None:
    for film, path in zip(FILMS, films, strict=True):
        with av.open(str(path)) as container:
            said = {name.lower(): text for name, text in container.metadata.items()}
        assert said["title"] == film.title
        assert said["comment"] == about(film)
        assert len(about(film)) < MAX_TEXT
    assert "Rachel Michetti. CC0 1.0" in about(FILMS[1])
    assert "Stéfan van der Walt. CC0 1.0" in about(FILMS[0])


def test_only_photographs_that_may_stand_in_any_film_are_shown() -> None:
    for film in FILMS:
        for source in film.sources:
            if isinstance(source, Photograph):
                licence = credit_of(source).split(". ")[-1]
                assert licence in ("CC0 1.0", "Public domain", "CC BY 2.0", "CC BY 4.0"), source


def test_the_same_film_has_the_same_bytes(tmp_path: Path) -> None:
    shots = [blank(0.5), Shot(Image.radial_gradient("L").convert("RGB"), 1.0)]
    for suffix in (".mp4", ".webm"):
        made = []
        for name in ("one", "two"):
            path = tmp_path / f"{name}{suffix}"
            write_film(path, pictures_of(shots, 10, (320, 180)), size=(320, 180), fps=10, title="T")
            made.append(path.read_bytes())
        assert made[0] == made[1]


def test_the_camera_comes_closer_and_goes_back() -> None:
    still = Image.linear_gradient("L").convert("RGB")
    nearer, back = Shot(still, 1, 1.5), Shot(still, 1, 1 / 1.5)
    assert np.ptp(np.asarray(nearer.at(1, (64, 64)))) < np.ptp(np.asarray(nearer.at(0, (64, 64))))
    assert np.array_equal(np.asarray(nearer.at(0, (64, 64))), np.asarray(back.at(1, (64, 64))))


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="could not be written"):
        call_command("make_films", str(tmp_path / "file"))

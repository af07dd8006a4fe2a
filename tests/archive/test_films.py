"""Films as people upload them: what is read of each, and what is said of those that cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from archive.decoder.refusals import Undecodable
from archive.decoder.sandbox import Sandbox
from tests import films, pictures

SHOWN = films.scenes(3, 2.0)
SECONDS = [0, 1000, 2000, 3000, 4000, 5000]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(films=True) as made:
        yield made


def seconds_of(sandbox: Sandbox, path: Path, step_ms: int = 1000) -> list[int]:
    return [at for at, _ in sandbox.read_stretch(path, 0, 3_600_000, step_ms).frames]


def seen(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data)).convert("RGB")


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of values, of 255."""
    size = (64, 48)
    small = [np.asarray(picture.resize(size, Image.Resampling.BOX), dtype=float) for picture in (one, other)]
    return float(np.abs(small[0] - small[1]).mean())


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".ts"])
def test_each_container_gives_a_frame_a_second_of_the_scene_that_runs_then(
    sandbox: Sandbox, tmp_path: Path, suffix: str
) -> None:
    path = films.make_film(tmp_path / f"film{suffix}", SHOWN, audio=True)
    known = sandbox.look_at_film(path)
    assert (known.width, known.height) == films.SIZE
    assert known.duration == pytest.approx(6.0, abs=0.1)
    frames = sandbox.read_stretch(path, 0, 60_000, 1000).frames
    assert [at for at, _ in frames] == pytest.approx(SECONDS, abs=30)
    for number, (_, data) in enumerate(frames):
        closest = min(range(3), key=lambda scene: difference(seen(data), SHOWN[scene][0]))
        assert closest == number // 2


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_an_animation_is_a_short_film(sandbox: Sandbox, tmp_path: Path, kind: str) -> None:
    path = films.animation(tmp_path / f"moves.{kind}", SHOWN)
    assert sandbox.look_at_film(path).duration == 6.0
    assert seconds_of(sandbox, path) == [0, 2000, 4000]


@pytest.mark.parametrize(("rotation", "turned"), [(90, Image.Transpose.ROTATE_90), (-90, Image.Transpose.ROTATE_270)])
def test_a_film_held_sideways_comes_out_upright(
    sandbox: Sandbox, tmp_path: Path, rotation: int, turned: Image.Transpose
) -> None:
    stored = pictures.reference()
    path = films.make_film(tmp_path / "sideways.mp4", [(stored, 2.0)], rotation=rotation)
    known = sandbox.look_at_film(path)
    assert (known.width, known.height) == (240, 320)
    (_, data), *_ = sandbox.read_stretch(path, 0, 2000, 1000).frames
    assert seen(data).size == (240, 320)
    assert difference(seen(data), stored.transpose(turned)) < 8


def test_anamorphic_pixels_are_made_square(sandbox: Sandbox, tmp_path: Path) -> None:
    path = films.make_film(tmp_path / "wide.mp4", [(pictures.reference(), 1.0)], aspect=Fraction(2))
    known = sandbox.look_at_film(path)
    assert (known.width, known.height) == (640, 240)
    assert seen(sandbox.read_stretch(path, 0, 1000, 1000).frames[0][1]).size == (640, 240)


def test_times_are_those_of_the_frames_whatever_the_rate(sandbox: Sandbox, tmp_path: Path) -> None:
    path = films.make_film(tmp_path / "uneven.mp4", SHOWN, variable=True)
    assert seconds_of(sandbox, path, 500) == [0, 600, 1000, 1600, 2000, 2600, 3000, 3600, 4000, 4600, 5000, 5600]


def test_time_begins_where_the_film_does(sandbox: Sandbox, tmp_path: Path) -> None:
    path = films.make_film(tmp_path / "broadcast.ts", SHOWN, begin=1000.0)
    assert seconds_of(sandbox, path) == SECONDS


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize("curve", ["PQ", "HLG"])
def test_hdr_looks_as_sdr_does(sandbox: Sandbox, tmp_path: Path, codec: str, curve: str) -> None:
    shown = [(pictures.reference(), 1.0)]
    path = films.make_film(tmp_path / "bright.mp4", shown, hdr=curve == "PQ", hlg=curve == "HLG", codec=codec)
    known = sandbox.look_at_film(path)
    assert f"It is HDR ({curve}): its frames were made SDR." in known.notes
    (_, data), *_ = sandbox.read_stretch(path, 0, 1000, 1000).frames
    assert difference(seen(data), pictures.reference()) < 10


def test_an_interlaced_film_shows_no_combs(sandbox: Sandbox, tmp_path: Path) -> None:
    path = films.make_film(tmp_path / "fields.ts", [(pictures.reference(), 2.0)], interlaced=True)
    known = sandbox.look_at_film(path)
    assert "It is interlaced: of each frame one field is used." in known.notes
    (_, data) = sandbox.read_stretch(path, 0, 2000, 1000).frames[1]
    rows = np.asarray(seen(data).convert("L"), dtype=float)
    combs = np.abs(rows[1:-1:2] - (rows[:-2:2] + rows[2::2]) / 2)
    assert np.quantile(combs, 0.99) < 30


def test_what_is_cut_off_is_kept_as_far_as_it_goes(sandbox: Sandbox, tmp_path: Path) -> None:
    path = films.cut_off(films.make_film(tmp_path / "torn.mkv", SHOWN), 0.5)
    known = sandbox.look_at_film(path)
    assert known.duration is not None
    assert 1.0 < known.duration < 5.0
    assert any("its pictures end at" in note for note in known.notes)
    assert seconds_of(sandbox, path) == [at for at in SECONDS if at < known.duration * 1000]


def test_a_header_that_lies_about_the_length_is_not_believed(sandbox: Sandbox, tmp_path: Path) -> None:
    path = films.lie_about_duration(films.make_film(tmp_path / "lies.mkv", SHOWN), 24 * 86_400)
    known = sandbox.look_at_film(path)
    assert known.duration == 6.0
    assert known.notes == ("Its header names 576:00:00, its pictures end at 0:06: that is what counts here.",)


@pytest.mark.parametrize(
    ("make", "code", "words"),
    [
        (lambda folder: films.audio_only(folder / "sound.mp4"), "no_pictures", "holds sound and no pictures"),
        (lambda folder: films.without_frames(folder / "empty.mkv"), "no_pictures", "not a single frame"),
        (lambda folder: films.cut_off(films.make_film(folder / "a.mp4", SHOWN), 0.6), "truncated", "ends too early"),
    ],
)
def test_what_holds_no_film_is_refused_with_a_sentence(
    sandbox: Sandbox, tmp_path: Path, make: object, code: str, words: str
) -> None:
    with pytest.raises(Undecodable, match=words) as refusal:
        sandbox.look_at_film(make(tmp_path))  # type: ignore[operator]
    assert refusal.value.code == code


def test_a_list_of_other_files_is_no_film(sandbox: Sandbox, tmp_path: Path) -> None:
    """FFmpeg, left alone, would open the film that the text names."""
    other = films.make_film(tmp_path / "private.mp4", SHOWN)
    path = films.reads_another_file(tmp_path / "list.mp4", other)
    with pytest.raises(Undecodable) as refusal:
        sandbox.look_at_film(path)
    assert refusal.value.code == "unsupported"


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".webm", ".avi", ".mpg"])
@pytest.mark.parametrize("gop", [5, 12, 1000])
def test_pieces_give_the_same_frames_as_the_whole(sandbox: Sandbox, tmp_path: Path, suffix: str, gop: int) -> None:
    path = films.make_film(tmp_path / f"film{suffix}", films.scenes(6, 3.5, (160, 120)), gop=gop, audio=True)
    whole = seconds_of(sandbox, path)
    assert len(whole) == 21
    pieces = [sandbox.read_stretch(path, first, first + 4000, 1000).frames for first in range(0, 24_000, 4000)]
    assert [at for piece in pieces for at, _ in piece] == whole


def test_long_steps_jump_over_what_nobody_asks_for(sandbox: Sandbox, tmp_path: Path) -> None:
    path = films.make_film(tmp_path / "long.mp4", films.scenes(4, 60.0, (64, 48)), fps=2, gop=10)
    assert seconds_of(sandbox, path, 30_000) == [0, 30_000, 60_000, 90_000, 120_000, 150_000, 180_000, 210_000]


def test_too_many_pixels_are_refused_by_the_header(tmp_path: Path) -> None:
    path = films.make_film(tmp_path / "film.mp4", SHOWN)
    with Sandbox(films=True, max_pixels=320 * 240 - 1) as small, pytest.raises(Undecodable) as refusal:
        small.look_at_film(path)
    assert refusal.value.code == "too_large"

"""Films with a single key frame: each stretch goes on where the last one ended, and nothing is decoded twice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BytesIO
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from archive.decoder.films import jobs
from archive.decoder.films.jobs import StretchReader, read_stretch
from archive.decoder.films.pieces import PieceMaker, make_piece
from archive.decoder.films.sampling import Sampler
from archive.decoder.kept import Kept
from archive.decoder.refusals import Undecodable
from archive.decoder.sandbox import Sandbox
from archive.decoder.specs import MAX_PIXELS
from tests import films

RATE, CHUNK, PIECE = 5, 20_000, 5_000
CONTAINERS = [".mp4", ".mkv", ".ts", ".avi", ".mpg"]


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The timestamps of all packets that went through the decoder."""
    seen: list[int] = []
    decode = Sampler._decoded

    def counted(self: Sampler, packet: Any) -> Any:
        if packet is not None:
            seen.append(packet.pts)
        return decode(self, packet)

    monkeypatch.setattr(Sampler, "_decoded", counted)
    return seen


def one_key_frame(path: Path, seconds: float, **options: Any) -> Path:
    return films.make_film(path, films.scenes(4, seconds / 4, (64, 48)), fps=RATE, gop=100_000, **options)


def stretches(reader: StretchReader, first_ms: int = 0) -> Iterator[Any]:
    ended = False
    while not ended:
        stretch = reader.read(first_ms, first_ms + CHUNK, 1000, 30)
        yield stretch
        first_ms, ended = stretch.reached_ms, stretch.ended


def test_what_is_decoded_grows_with_the_film_and_not_with_its_square(tmp_path: Path, decoded: list[int]) -> None:
    counted = []
    for seconds in (240, 480):
        data = one_key_frame(tmp_path / f"{seconds}.mp4", seconds).read_bytes()
        frames = [at for one in stretches(StretchReader(BytesIO(data), MAX_PIXELS)) for at, _ in one.frames]
        assert frames == list(range(0, 1000 * seconds, 1000))
        counted.append(len(decoded))
        decoded.clear()
    assert counted[0] <= 1.1 * 240 * RATE
    assert counted[1] <= 2.1 * counted[0]
    # One by one, as by a child that dies behind each, they cost what lies before them.
    for first_ms in range(0, 240_000, CHUNK):
        read_stretch(BytesIO((tmp_path / "240.mp4").read_bytes()), first_ms, first_ms + CHUNK, 1000, 30, MAX_PIXELS)
    assert len(decoded) > 5 * counted[0]


@pytest.mark.parametrize("suffix", CONTAINERS)
@pytest.mark.parametrize("gop", [7, 100_000])
def test_going_on_gives_what_the_whole_gives(tmp_path: Path, suffix: str, gop: int) -> None:
    path = films.make_film(tmp_path / f"film{suffix}", films.scenes(6, 13.3, (64, 48)), fps=RATE, gop=gop, audio=True)
    data = path.read_bytes()
    whole = read_stretch(BytesIO(data), 0, 3_600_000, 1000, 60, MAX_PIXELS)
    parts = list(stretches(StretchReader(BytesIO(data), MAX_PIXELS)))
    assert [frame for one in parts for frame in one.frames] == whole.frames
    assert [one.ended for one in parts] == [False] * (len(parts) - 1) + [True]


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_an_animation_is_gone_on_with_too(tmp_path: Path, kind: str) -> None:
    data = films.animation(tmp_path / f"moves.{kind}", films.scenes(9, 7.0, (64, 48))).read_bytes()
    whole = read_stretch(BytesIO(data), 0, 3_600_000, 1000, 60, MAX_PIXELS).frames
    assert [frame for one in stretches(StretchReader(BytesIO(data), MAX_PIXELS)) for frame in one.frames] == whole
    assert len(whole) == 9


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".avi"])  # of an MPEG program not all times are known
def test_pieces_are_the_same_whether_or_not_they_are_gone_on_with(
    tmp_path: Path, suffix: str, decoded: list[int]
) -> None:
    data = one_key_frame(tmp_path / f"film{suffix}", 20, audio=True).read_bytes()
    alone = [make_piece(BytesIO(data), first, first + PIECE, 60, MAX_PIXELS) for first in range(0, 20_000, PIECE)]
    each = len(decoded)
    maker = PieceMaker(BytesIO(data), MAX_PIXELS)
    together = [maker.make(first, first + PIECE, 60) for first in range(0, 20_000, PIECE)]
    assert [(one.reached_ms, one.ended) for one in together] == [(one.reached_ms, one.ended) for one in alone]
    assert len(decoded) - each <= 20 * RATE + 3
    assert suffix == ".avi" or 0.6 * each > 20 * RATE  # MPEG-4 has more key frames, whatever it is asked for
    for one, other in zip(together, alone, strict=True):
        (times, shown, heard), (other_times, other_shown, other_heard) = unpacked(one.data), unpacked(other.data)
        assert times == other_times
        assert np.abs(shown - other_shown).mean() < 1
        assert np.abs(heard - other_heard).max() < 1e-3


def unpacked(piece: bytes) -> tuple[list[int], Any, Any]:
    """The times of its pictures and its sound, and both of them."""
    with av.open(BytesIO(piece), "r") as film:
        pictures = [(frame.pts, frame.to_ndarray(format="rgb24").astype(int)) for frame in film.decode(video=0)]
    with av.open(BytesIO(piece), "r") as film:
        sounds = [(frame.pts, frame.to_ndarray()) for frame in film.decode(audio=0)]
    times = [at for at, _ in [*pictures, *sounds] if at is not None]
    return times, np.stack([one for _, one in pictures]), np.concatenate([one for _, one in sounds], axis=1)


def test_a_stretch_that_ends_early_is_gone_on_with_at_the_next_frame(
    tmp_path: Path, decoded: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that ticks whenever somebody looks at it, and time for two frames."""
    ticks = count()
    data = one_key_frame(tmp_path / "film.mp4", 60).read_bytes()
    reader = StretchReader(BytesIO(data), MAX_PIXELS)
    with monkeypatch.context() as context:
        context.setattr(jobs, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
        first = reader.read(0, 60_000, 1000, 1)
    assert ([at for at, _ in first.frames], first.reached_ms, first.ended) == ([0, 1000], 2000, False)
    rest = [frame for one in stretches(reader, first.reached_ms) for frame in one.frames]
    assert [at for at, _ in rest] == list(range(2000, 60_000, 1000))
    assert len(decoded) <= 1.1 * 60 * RATE


class Kinds:
    """What the keeper is asked for, and how often a new one had to be made."""

    def __init__(self) -> None:
        self.made = 0

    def read(self, kept: Kept, path: Path, first_ms: int) -> Any:
        def make(file: Any) -> StretchReader:
            self.made += 1
            return StretchReader(file, MAX_PIXELS)

        with kept.reader(StretchReader, make, os.open(path, os.O_RDONLY), first_ms, 1000) as reader:
            return reader.read(first_ms, first_ms + CHUNK, 1000, 30)


def test_only_what_goes_on_is_gone_on_with(tmp_path: Path) -> None:
    path, other = (one_key_frame(tmp_path / name, 100) for name in ("film.mp4", "other.mp4"))
    kept, kinds = Kept(), Kinds()
    open_before = len(os.listdir("/proc/self/fd"))
    for place, made in ((0, 1), (20_000, 1), (40_000, 1), (20_000, 2), (40_000, 2)):
        assert [at for at, _ in kinds.read(kept, path, place).frames] == list(range(place, place + CHUNK, 1000))
        assert kinds.made == made
    kinds.read(kept, other, 60_000)
    assert kinds.made == 3
    kinds.read(kept, path, 80_000)
    assert kinds.made == 4
    path.touch()  # written to meanwhile, for all that can be known
    assert kinds.read(kept, path, 0).frames
    os.utime(path, ns=(0, 0))
    kinds.read(kept, path, 20_000)
    assert kinds.made == 6
    assert kinds.read(kept, path, 80_000).ended
    assert len(os.listdir("/proc/self/fd")) == open_before


def never(file: Any) -> StretchReader:
    raise AssertionError(f"{file} was opened, and should have been gone on with")


def test_what_failed_is_not_gone_on_with(tmp_path: Path) -> None:
    path, kept = one_key_frame(tmp_path / "film.mp4", 100), Kept()
    kinds, open_before = Kinds(), len(os.listdir("/proc/self/fd"))
    kinds.read(kept, path, 0)
    again = os.open(path, os.O_RDONLY)
    with pytest.raises(MemoryError), kept.reader(StretchReader, never, again, 20_000, 1000):
        raise MemoryError
    assert [at for at, _ in kinds.read(kept, path, 20_000).frames] == list(range(20_000, 40_000, 1000))
    assert kinds.made == 2
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(Undecodable):
        kinds.read(kept, damaged, 0)
    assert len(os.listdir("/proc/self/fd")) == open_before


def test_the_child_goes_on_and_a_new_one_finds_its_way(tmp_path: Path) -> None:
    """The way from the beginning is as long as the film; going on is not."""
    path = one_key_frame(tmp_path / "film.mkv", 100, audio=True)
    with Sandbox(films=True) as sandbox, Sandbox(films=True) as other:
        for first in range(0, 100_000, CHUNK):
            there = sandbox.read_stretch(path, first, first + CHUNK, 1000)
            sandbox_pid = sandbox.pid
            other.close()  # and starts anew
            assert other.read_stretch(path, first, first + CHUNK, 1000) == there
            assert sandbox.make_piece(path, first, first + 1000).data  # takes its place
        assert sandbox.pid == sandbox_pid

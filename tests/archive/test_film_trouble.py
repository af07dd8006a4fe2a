"""Films on slow machines and failing stores: what passes is never taken for a fault of the film."""

from __future__ import annotations

import errno
from contextlib import suppress
from io import BytesIO
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import pytest

from archive.decoder.films import pieces, sampling, watched
from archive.decoder.films.footage import Footage
from archive.decoder.films.jobs import look_at_film, read_stretch
from archive.decoder.films.pieces import make_piece
from archive.decoder.films.sampling import Sampler
from archive.decoder.films.watched import Late
from archive.decoder.refusals import DecoderTimedOut, StoreFailed
from archive.decoder.specs import MAX_PIXELS, POSTER_SPECS
from tests import films


class Failing(BytesIO):
    """A file of a store that fails behind so many bytes."""

    def __init__(self, data: bytes, sound: int) -> None:
        super().__init__(data)
        self.sound = sound

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() + (size or 0) > self.sound:
            raise OSError(errno.EIO, "Input/output error")
        return super().read(size)


def test_with_one_key_frame_a_stretch_ends_early_and_the_next_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that ticks once a packet, and time for 150 of 400."""
    film = films.make_film(tmp_path / "film.mp4", films.scenes(4, 10.0, (64, 48)), gop=1000).read_bytes()
    ticks = count()
    monkeypatch.setattr(watched, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    monkeypatch.setattr(sampling, "LONGEST_GROUP", 20)
    found: list[int] = []
    position = -1
    while position != 1000 * len(found):
        position = 1000 * len(found)
        with suppress(DecoderTimedOut):
            stretch = read_stretch(BytesIO(film), position, 60_000, 1000, 50, MAX_PIXELS)
            assert not stretch.ended
            assert stretch.reached_ms == position + 1000 * len(stretch.frames)
            found += [at for at, _ in stretch.frames]
    assert found == [1000 * number for number in range(len(found))]
    assert 5 < len(found) < 20


def test_the_way_to_a_piece_is_not_counted_as_its_making(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = films.make_film(tmp_path / "film.mp4", films.scenes(4, 10.0, (64, 48)), gop=1000).read_bytes()
    ticks = count()
    for module in (watched, pieces):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    monkeypatch.setattr(sampling, "LONGEST_GROUP", 20)
    assert 6_500 < make_piece(BytesIO(film), 4000, 14_000, 50, MAX_PIXELS).reached_ms < 14_000


def test_a_film_that_takes_long_to_read_to_its_end_is_as_long_as_its_header_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = films.make_film(tmp_path / "film.mkv", films.scenes(3, 2.0)).read_bytes()

    def never_there(self: Footage, packets: Any) -> float:
        raise Late

    monkeypatch.setattr(Footage, "_last_packet", never_there)
    known = look_at_film(BytesIO(film), POSTER_SPECS, 10, MAX_PIXELS)
    assert known.duration == 6.0
    assert known.notes == ("It has no index and takes long to read: its length is what its header says.",)
    assert set(known.renditions) == {"thumbnail", "preview"}


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".gif"])
@pytest.mark.parametrize("share", [0.0, 0.6, 0.95])
def test_a_store_that_fails_is_no_damage(tmp_path: Path, suffix: str, share: float) -> None:
    path, shown = tmp_path / f"film{suffix}", films.scenes(8, 2.0)
    data = (films.animation if suffix == ".gif" else films.make_film)(path, shown).read_bytes()

    def failing() -> Failing:
        return Failing(data, int(share * len(data)))

    with pytest.raises(StoreFailed, match="Input/output error"):
        look_at_film(failing(), POSTER_SPECS, 10, MAX_PIXELS)
    with pytest.raises(StoreFailed):
        read_stretch(failing(), 0, 60_000, 1000, 10, MAX_PIXELS)
    with pytest.raises(StoreFailed):
        make_piece(failing(), 0, 60_000, 10, MAX_PIXELS)


def lacking_memory(*_: object) -> Any:
    raise av.error.MemoryError(errno.ENOMEM, "Cannot allocate memory")


def sampler(**stream: Any) -> Sampler:
    container = SimpleNamespace(demux=lacking_memory)
    return Sampler(container, SimpleNamespace(**stream), 0.0, 1000, lambda: None)  # type: ignore[arg-type]


def test_a_lack_of_memory_is_neither_damage_nor_the_end() -> None:
    reader = sampler(codec_context=SimpleNamespace(decode=lacking_memory))
    with pytest.raises(MemoryError):
        next(reader._packets())
    with pytest.raises(MemoryError):
        reader._decoded(None)
    assert reader.damaged == 0


def test_held_packets_are_bounded_by_their_size() -> None:
    packets: Any = (SimpleNamespace(size=10_000_000, is_keyframe=number == 0) for number in range(50))
    groups = list(sampler()._groups(packets))
    assert sum(len(group.packets) for group in groups) == 50
    assert max(len(group.packets) for group in groups) * 10_000_000 < sampling.LARGEST_GROUP + 10_000_000

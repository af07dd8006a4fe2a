"""What a player gets: the original where browsers play it, else a film made in pieces; and the sprite."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from django.core.files.storage import default_storage
from PIL import Image

from archive.models import Asset, Collection, Rendition, Space, Status, Step, Work, WorkState
from archive.video.joining import Joined, Part
from archive.video.packs import write_pack
from archive.video.playable import keep_piece, pieces_of, playable_key, plays_as_it_is
from archive.video.sprites import sprite_of
from tests import films
from tests.workers.test_films import take_in, work
from workers import play
from workers.claims import claim
from workers.encode import drain_encode
from workers.leases import Heartbeat
from workers.play import drain_play
from workers.prepare import drain_prepare

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("suffix", "as_it_is"), [(".mp4", True), (".webm", True), (".mov", True), (".mkv", False)])
def test_what_browsers_play_is_left_as_it_is(
    harbour: Collection, fake_space: Space, tmp_path: Path, suffix: str, as_it_is: bool
) -> None:
    asset = take_in(harbour, films.make_film(tmp_path / f"film{suffix}", films.scenes(2, 1.0), audio=True))
    work()
    asset.refresh_from_db()
    assert plays_as_it_is(asset) is as_it_is
    key = playable_key(asset)
    assert key is not None
    assert (key[0] == asset.original) is as_it_is
    assert asset.renditions.filter(spec="playable").exists() is not as_it_is


@pytest.mark.parametrize("suffix", [".avi", ".mpg", ".mkv", ".ts"])
def test_pieces_become_one_film_that_can_be_jumped_in(
    harbour: Collection, fake_space: Space, tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(play, "PIECE_MS", 2500)
    shown = films.scenes(4, 3.0)
    asset = take_in(harbour, films.make_film(tmp_path / f"film{suffix}", shown, audio=True))
    work()
    asset.refresh_from_db()
    assert asset.status == Status.READY
    assert set(asset.renditions.filter(spec__startswith="play").values_list("spec", flat=True)) == {"playable"}
    made = asset.renditions.get(spec="playable")
    data = made.read()
    assert len(data) == made.size
    with av.open(io.BytesIO(data), "r") as film:
        video, sound = film.streams.video[0], film.streams.audio[0]
        assert (video.codec_context.name, sound.codec_context.name) == ("h264", "aac")
        assert film.duration == pytest.approx(12_000_000, abs=300_000)
        times = [float(frame.time) for frame in film.decode(video)]
        assert len(times) == 120
        assert np.allclose(np.diff(times), 0.1, atol=0.03)
    with av.open(io.BytesIO(data), "r") as film:
        sound = film.streams.audio[0]
        starts = [packet.pts for packet in film.demux(sound) if packet.size and packet.pts is not None]
        assert set(np.diff(starts)) == {1024}  # no gap, no overlap where pieces meet
    with av.open(io.BytesIO(data), "r") as film:
        film.seek(10_000_000)
        frame = next(film.decode(film.streams.video[0]))
        assert 7.4 <= float(frame.time) <= 10.0
        picture = Image.fromarray(frame.to_ndarray(format="rgb24"))
        seen = np.asarray(picture.resize((32, 24)), dtype=float)
        like = [np.abs(seen - np.asarray(picture.resize((32, 24)), dtype=float)).mean() for picture, _ in shown]
        assert int(np.argmin(like)) == int(float(frame.time) // 3)


def test_an_animation_is_made_playable(harbour: Collection, fake_space: Space, tmp_path: Path) -> None:
    asset = take_in(harbour, films.animation(tmp_path / "moves.gif", films.scenes(3, 1.0)))
    work()
    with av.open(io.BytesIO(asset.renditions.get(spec="playable").read()), "r") as film:
        assert [float(frame.time) for frame in film.decode(video=0)] == [0.0, 1.0, 2.0]


def test_the_sprite_shows_each_scene_in_its_place(harbour: Collection, fake_space: Space, tmp_path: Path) -> None:
    shown = films.scenes(3, 8.0)
    asset = take_in(harbour, films.make_film(tmp_path / "film.mp4", shown))
    work()
    asset.refresh_from_db()
    sprite = sprite_of(asset)
    assert sprite is not None
    assert (sprite.columns, sprite.rows, sprite.count, sprite.every_seconds) == (10, 3, 24, 1.0)
    row = Rendition.objects.get(asset=asset, spec="sprite")
    sheet = Image.open(io.BytesIO(row.read())).convert("RGB")
    assert sheet.size == (row.width, row.height) == (10 * sprite.width, 3 * sprite.height)
    for second in (0, 7, 8, 15, 16, 23):
        left, top = sprite.place(second + 0.5)
        tile = sheet.crop((left, top, left + sprite.width, top + sprite.height))
        seen = np.asarray(tile.resize((32, 24)), dtype=float)
        like = [np.abs(seen - np.asarray(picture.resize((32, 24)), dtype=float)).mean() for picture, _ in shown]
        assert int(np.argmin(like)) == second // 8


def test_a_film_that_is_made_playable_anew_is_not_joined_with_what_was_left(
    harbour: Collection, fake_space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given up behind its second piece, begun again on a machine whose pieces end elsewhere."""
    asset = take_in(harbour, films.make_film(tmp_path / "film.avi", films.scenes(4, 3.0)))
    monkeypatch.setattr(play, "PIECE_MS", 3500)
    monkeypatch.setattr(play, "as_long_again", lambda begun: begun)
    while drain_prepare(60) or drain_encode(60):
        pass
    (one,) = claim(Step.PLAY, "", 1, "me")
    with Heartbeat() as heartbeat:
        play.play(one, asset, 0.0, heartbeat)
        play.play(replace(one, position=3500), asset, 0.0, heartbeat)
    left, other = pieces_of(asset)
    Work.objects.filter(pk=one.work_id).update(state=WorkState.READY, position=None)
    twin = keep_piece(harbour_twin(asset), 0, left.read())  # saved, and not yet committed
    monkeypatch.setattr(play, "PIECE_MS", 2500)
    drain_play(60)
    made = asset.renditions.get(spec="playable")
    with av.open(io.BytesIO(made.read()), "r") as film:
        assert np.allclose(np.diff([float(frame.time) for frame in film.decode(video=0)]), 0.1, atol=0.03)
    assert not pieces_of(asset)
    assert not any(default_storage.exists(piece.key) for piece in (left, other))
    assert default_storage.exists(twin.key)


def harbour_twin(asset: Asset) -> Asset:
    """The same film in another collection."""
    return Asset(sha256=asset.sha256, collection=Collection(name="Elsewhere"))


def test_a_shorter_chunk_of_a_twin_takes_nothing_from_a_longer_one(harbour: Collection) -> None:
    asset = Asset(sha256="ab" * 32, collection=harbour, step_ms=1000)
    frames = [(1000 * number, bytes([number])) for number in range(5)]
    long, short, same = (write_pack(asset, 0, some) for some in (frames, frames[:2], frames))
    assert long.key == same.key != short.key
    assert (len(long.read()), len(short.read())) == (long.size, short.size)


def test_films_joined_of_other_pieces_lie_in_other_files(tmp_path: Path) -> None:
    one = Joined([Part("a", 0, 10, 100), Part("b", 90_000, 10, 100)], 180_000, "playable")
    other = Joined([Part("a", 0, 10, 100), Part("c", 45_000, 10, 150)], 180_000, "playable")
    assert one.digest != other.digest

"""A stretch of a film as browsers play it: H.264 and AAC in fragments of MP4.

Pieces that follow each other are one film when their bytes are joined: every piece carries its own absolute times,
begins with a key frame, and starts its sound on the same grid of 1024 samples. An encoder of sound needs a run-up:
it hears a little of what lies before the piece, and what it makes of that is dropped. Where no picture begins but
something is heard, as under a slide that stands for long, the piece begins with the picture that still stands.
"""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import IO, Any, cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from PIL import Image

from archive.decoder.boxes import fragments
from archive.decoder.decoded import Piece
from archive.decoder.films.ahead import Ahead
from archive.decoder.films.footage import Footage
from archive.decoder.films.jobs import PATIENCE, open_reel
from archive.decoder.films.reel import Reel
from archive.decoder.films.sound import GRID, RATE, Sound, Track, on_grid, sound_of
from archive.decoder.films.upright import HLG, PQ, one_field, picture_of, seen_size
from archive.decoder.films.watched import Watched, watching
from archive.decoder.specs import PLAYABLE

TICKS = 90_000
FRAGMENTS = "frag_keyframe+empty_moov+default_base_moof+frag_discont+skip_trailer"
SECONDS_A_FRAGMENT = 2
LAST_MS = 100  # for so long the last picture is shown
# x264's macroblock tree reads memory that nobody wrote where a piece is shorter than its look-ahead.
X264 = {
    "preset": "veryfast",
    "crf": "24",
    "bf": "0",
    "profile": "high",
    "level": "4.0",
    "sc_threshold": "0",
    "x264-params": "mbtree=0",
}


class PieceMaker:
    """A film of which one piece is made after the other, by one decoder as long as each goes on where the one before
    ended."""

    def __init__(self, file: IO[bytes], max_pixels: int) -> None:
        self.watched = Watched(file)
        self.max_pixels = max_pixels
        self._place: int | None = None  # where it stands, in milliseconds

    @property
    def goes_on(self) -> bool:
        return self._place is not None

    def stands_at(self, first_ms: int, step_ms: int = 1) -> bool:
        return self._place == first_ms

    def make(self, first_ms: int, until_ms: int, seconds: float) -> Piece:
        """`[first_ms, until_ms)` as fragments; it ends earlier when it took longer than `seconds`.

        Raises Undecodable, StoreFailed and DecoderTimedOut.
        """
        with watching(self.watched, PATIENCE * seconds, self.max_pixels):
            if not self.stands_at(first_ms):
                reel = self._open()
                self._maker = (
                    FootagePiece(reel, first_ms, self._open)
                    if isinstance(reel, Footage)
                    else AnimationPiece(reel, first_ms)
                )
            self._place = None
            piece = self._maker.make(first_ms, until_ms, seconds)
            self._place = None if piece.ended else piece.reached_ms
            return piece

    def _open(self) -> Reel:
        return open_reel(self.watched.reader(), self.max_pixels, self.watched)


def make_piece(file: IO[bytes], first_ms: int, until_ms: int, seconds: float, max_pixels: int) -> Piece:
    """One piece alone, as `PieceMaker.make` has it."""
    return PieceMaker(file, max_pixels).make(first_ms, until_ms, seconds)


def at_times(data: bytes, begins: dict[int, int]) -> bytes:
    """The fragments moved to where their tracks begin: they were written as if each began at zero."""
    moved = bytearray(data)
    for one in fragments(data):
        moved[one.place : one.place + 8] = (one.time + begins.get(one.track, 0)).to_bytes(8, "big")
    return bytes(moved)


class AnimationPiece:
    """Of pictures that come from Pillow."""

    def __init__(self, reel: Any, first_ms: int) -> None:
        self.reel = reel
        self._ahead = Ahead(self.pictures(first_ms))
        self._begins: dict[int, int] = {}  # by track: the time of the first picture or sound of the piece
        self._stands: VideoFrame | None = None  # the last picture that was shown
        self._stands_until = 0  # milliseconds
        self._heard: tuple[tuple[int, int], Sound | None] | None = None  # what was asked for last in this piece

    def pictures(self, first_ms: int) -> Iterator[tuple[int, VideoFrame]]:
        for at, picture in self.reel.frames(first_ms, 1, PLAYABLE):
            yield at, _as_frame(picture)

    def standing(self, at_ms: int) -> VideoFrame | None:
        """The picture that was shown last before `at_ms`."""
        return self._stands

    def sound(self, first_ms: int, until_ms: int) -> Sound | None:
        return None

    def make(self, first_ms: int, until_ms: int, seconds: float) -> Piece:
        out, stop = io.BytesIO(), math.inf
        reached, ended, last = until_ms, True, first_ms
        self._begins, self._heard = {}, None
        self._hold(first_ms, until_ms)
        with av.open(out, "w", format="mp4", options={"movflags": FRAGMENTS}) as container:
            video: Any = None
            audio: Any = None
            for at, frame in self._ahead:
                if at >= until_ms:
                    self._ahead.put_back(at, frame)
                    ended = False
                    break
                if video is None:
                    video = self._picture_stream(container, frame)  # the first track: the index is about that one
                    audio = self._sound_stream(container)
                    stop = time.monotonic() + seconds  # the way to it does not count
                elif time.monotonic() > stop and at >= first_ms + 1000 * SECONDS_A_FRAGMENT:
                    self._ahead.put_back(at, frame)
                    reached, ended = at, False
                    break
                self._stands = frame
                fitting = frame.reformat(width=video.width, height=video.height, format="yuv420p", threads=1)
                last = at
                begins = self._begins.setdefault(video.index + 1, at * TICKS // 1000)
                fitting.pts, fitting.time_base = at * TICKS // 1000 - begins, Fraction(1, TICKS)
                container.mux(video.encode(fitting))
            if video is not None:
                container.mux(video.encode(None))
            if video is not None and self._stands_until > until_ms:
                ended = False  # the last picture stands on
            if audio is not None:  # at the end of the film no longer than its pictures
                end = max(last + LAST_MS, self._stands_until)
                self._write_sound(container, audio, first_ms, min(reached, end) if ended else reached)
        data = out.getvalue() if video is not None else b""
        return Piece(at_times(data, self._begins), reached, ended)

    def _hold(self, first_ms: int, until_ms: int) -> None:
        """Where no picture begins in the piece and it has sound all the same, the one that stands is shown again."""
        coming = next(self._ahead, None)
        if coming is not None:
            self._ahead.put_back(*coming)
            if coming[0] < until_ms:
                return
        found = self._heard_in(first_ms, until_ms)
        if found is None or not found.heard:
            return
        held = self.standing(first_ms)
        if coming is not None:
            self._ahead.put_back(first_ms, held or coming[1])  # before the first one none stands
        elif held is not None and self._stands_until > first_ms:
            self._ahead.put_back(first_ms, held)

    def _heard_in(self, first_ms: int, until_ms: int) -> Sound | None:
        """A piece that is held asks for the same twice, and each time the film is opened and ten seconds decoded."""
        if self._heard is None or self._heard[0] != (first_ms, until_ms):
            self._heard = (first_ms, until_ms), self.sound(first_ms, until_ms)
        return self._heard[1]

    def _picture_stream(self, container: Any, first: VideoFrame) -> Any:
        stream = container.add_stream("libx264", rate=25, options={**X264, "forced-idr": "1"})
        stream.width, stream.height = first.width // 2 * 2, first.height // 2 * 2
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, TICKS)
        stream.codec_context.gop_size = 25 * SECONDS_A_FRAGMENT
        stream.codec_context.thread_count = 1
        return stream

    def _sound_stream(self, container: Any) -> Any:
        return None

    def _write_sound(self, container: Any, stream: Any, first_ms: int, until_ms: int) -> None:
        start, end = on_grid(first_ms), on_grid(until_ms)
        found = self._heard_in(first_ms, until_ms)
        if found is None:
            return
        for offset in range(0, found.samples.shape[1] - GRID + 1, GRID):
            frame = AudioFrame.from_ndarray(
                np.ascontiguousarray(found.samples[:, offset : offset + GRID]), format="fltp", layout="stereo"
            )
            frame.sample_rate, frame.pts, frame.time_base = RATE, found.begins + offset, Fraction(1, RATE)
            self._mux_sound(container, stream.encode(frame), start, end)
        self._mux_sound(container, stream.encode(None), start, end)

    def _mux_sound(self, container: Any, packets: Any, start: int, end: int) -> None:
        for packet in packets:
            if start <= (packet.pts or 0) < end:
                begins = self._begins.setdefault(packet.stream.index + 1, packet.pts)
                packet.pts = packet.dts = packet.pts - begins
                container.mux(packet)


class FootagePiece(AnimationPiece):
    """Of pictures and sound that come from FFmpeg."""

    reel: Footage

    def __init__(self, reel: Footage, first_ms: int, open_again: Callable[[], Reel]) -> None:
        super().__init__(reel, first_ms)
        self._open_again = open_again
        self._track: Track | None = None

    def pictures(self, first_ms: int) -> Iterator[tuple[int, VideoFrame]]:
        for at, frame in self.reel.sampler(1).frames(first_ms):
            self._stands_until = _end_of(at, frame)
            yield at, self._fitting(frame)

    def standing(self, at_ms: int) -> VideoFrame | None:
        """The picture that was shown last before `at_ms`; it is looked for where the maker began there."""
        if self._stands is None:
            reel = cast(Footage, self._open_again())
            found = reel.sampler(1).standing(at_ms)
            if found is not None:
                self._stands = self._fitting(found[1])
                self._stands_until = max(self._stands_until, _end_of(*found))
        return self._stands

    def _fitting(self, frame: VideoFrame) -> VideoFrame:
        if frame.rotation or int(frame.color_trc) in (PQ, HLG):
            return _as_frame(picture_of(frame, self.reel.aspect, PLAYABLE))
        across, down = PLAYABLE.size_for(*seen_size(frame.width, frame.height, self.reel.aspect))
        return one_field(frame).reformat(
            width=max(2, across // 2 * 2), height=max(2, down // 2 * 2), format="yuv420p", threads=1
        )

    def _sound_stream(self, container: Any) -> Any:
        if not self.reel.container.streams.audio:
            return None
        stream = container.add_stream("aac", rate=RATE)
        stream.codec_context.layout = "stereo"
        stream.codec_context.bit_rate = 128_000
        return stream

    def sound(self, first_ms: int, until_ms: int) -> Sound | None:
        if not self.reel.container.streams.audio:
            return None
        if self.reel.anew:
            self._track = self._track or Track(cast(Footage, self._open_again()))
            return self._track.between(first_ms, until_ms)
        # The film once more: looking for its sound must not move what reads its pictures on. And for each piece anew:
        # where it jumps to, Opus begins otherwise when it was heard before.
        return sound_of(cast(Footage, self._open_again()), first_ms, until_ms)


def _end_of(at: int, frame: VideoFrame) -> int:
    """Until when a picture stands, in milliseconds, as far as its packet says so."""
    return at + round(float((frame.duration or 0) * (frame.time_base or 0)) * 1000)


def _as_frame(picture: Image.Image) -> VideoFrame:
    """With even sides, for H.264 halves its colours."""
    width, height = max(2, picture.width // 2 * 2), max(2, picture.height // 2 * 2)
    even = picture if (width, height) == picture.size else picture.resize((width, height))
    return VideoFrame.from_ndarray(np.asarray(even), format="rgb24")

"""A stretch of a film as browsers play it: H.264 and AAC in fragments of MP4.

Pieces that follow each other are one film when their bytes are joined: every piece carries its own absolute times,
begins with a key frame, and starts its sound on the same grid of 1024 samples. An encoder of sound needs a run-up:
it hears a little of what lies before the piece, and what it makes of that is dropped.
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
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.error import FFmpegError
from av.video.frame import VideoFrame
from PIL import Image

from archive.decoder.boxes import fragments
from archive.decoder.decoded import Piece
from archive.decoder.films.ahead import Ahead
from archive.decoder.films.footage import Footage
from archive.decoder.films.jobs import PATIENCE, open_reel
from archive.decoder.films.reel import Reel
from archive.decoder.films.sampling import Sampler
from archive.decoder.films.upright import HLG, PQ, one_field, picture_of, seen_size
from archive.decoder.films.watched import Watched, despite_damage, watching
from archive.decoder.specs import PLAYABLE

TICKS = 90_000
SOUND = 48_000
GRID = 1024  # samples of an AAC frame
RUN_UP = 3 * GRID
FRAGMENTS = "frag_keyframe+empty_moov+default_base_moof+frag_discont+skip_trailer"
SECONDS_A_FRAGMENT = 2
LAST_MS = 100  # for so long the last picture is shown
X264 = {"preset": "veryfast", "crf": "24", "bf": "0", "profile": "high", "level": "4.0", "sc_threshold": "0"}

Samples = npt.NDArray[np.float32]


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

    def pictures(self, first_ms: int) -> Iterator[tuple[int, VideoFrame]]:
        for at, picture in self.reel.frames(first_ms, 1, PLAYABLE):
            yield at, _as_frame(picture)

    def sound(self, first_ms: int, until_ms: int) -> tuple[int, Samples] | None:
        return None

    def make(self, first_ms: int, until_ms: int, seconds: float) -> Piece:
        out, stop = io.BytesIO(), math.inf
        reached, ended, last = until_ms, True, first_ms
        self._begins = {}
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
                fitting = frame.reformat(width=video.width, height=video.height, format="yuv420p", threads=1)
                last = at
                begins = self._begins.setdefault(video.index + 1, at * TICKS // 1000)
                fitting.pts, fitting.time_base = at * TICKS // 1000 - begins, Fraction(1, TICKS)
                container.mux(video.encode(fitting))
            if video is not None:
                container.mux(video.encode(None))
            if audio is not None:  # at the end of the film no longer than its pictures
                self._write_sound(container, audio, first_ms, min(reached, last + LAST_MS) if ended else reached)
        data = out.getvalue() if video is not None else b""
        return Piece(at_times(data, self._begins), reached, ended)

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
        start, end = _on_grid(first_ms), _on_grid(until_ms)
        found = self.sound(first_ms, until_ms)
        if found is None:
            return
        begins, samples = found
        for offset in range(0, samples.shape[1] - GRID + 1, GRID):
            frame = AudioFrame.from_ndarray(
                np.ascontiguousarray(samples[:, offset : offset + GRID]), format="fltp", layout="stereo"
            )
            frame.sample_rate, frame.pts, frame.time_base = SOUND, begins + offset, Fraction(1, SOUND)
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

    def pictures(self, first_ms: int) -> Iterator[tuple[int, VideoFrame]]:
        reel = self.reel
        sampler = Sampler(reel.container, reel.stream, reel.zero_ms, 1, reel.watched.look_at_clock)
        for at, frame in sampler.frames(first_ms):
            yield at, self._fitting(frame)

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
        stream = container.add_stream("aac", rate=SOUND)
        stream.codec_context.layout = "stereo"
        stream.codec_context.bit_rate = 128_000
        return stream

    def sound(self, first_ms: int, until_ms: int) -> tuple[int, Samples] | None:
        """(first sample, (2, n) samples) of the stretch with its run-up; silence where there is none."""
        begins, end = _on_grid(first_ms) - RUN_UP, _on_grid(until_ms) + 2 * GRID
        room = np.zeros((2, end - begins), dtype=np.float32)
        # The film once more: looking for its sound must not move what reads its pictures on. And for each piece anew:
        # where it jumps to, Opus begins otherwise when it was heard before.
        container = cast(Footage, self._open_again()).container
        stream = container.streams.audio[0]
        assert stream.time_base is not None
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=SOUND)
        target = max(0.0, begins / SOUND - 1) + self.reel.zero_ms / 1000
        with despite_damage():
            container.seek(int(target / stream.time_base), stream=stream, backward=True)
        place: int | None = None
        for frame in _heard(container, stream):
            if frame.pts is None or frame.time_base is None:
                continue
            at = float(frame.pts * frame.time_base) - self.reel.zero_ms / 1000
            said = round(at * SOUND)
            if place is None or abs(said - place) > SOUND // 10:  # a gap, or a jump
                place = said
            for part in resampler.resample(frame):
                heard = part.to_ndarray()
                _lay(room, heard.astype(np.float32), place - begins)
                place += heard.shape[1]
            if place > end:
                break
        return begins, room


def _heard(container: Any, stream: Any) -> Iterator[Any]:
    packets = container.demux(stream)
    while True:
        try:
            for packet in packets:
                yield from packet.decode()
            return
        except MemoryError:
            raise
        except av.error.InvalidDataError:
            continue
        except (FFmpegError, ValueError):
            return


def _lay(room: Samples, heard: Samples, at: int) -> None:
    first, last = max(0, at), min(room.shape[1], at + heard.shape[1])
    if first < last:
        room[:, first:last] = heard[:2, first - at : last - at]


def _on_grid(ms: int) -> int:
    """The first sample of the AAC frame at or behind that millisecond."""
    return -(-ms * SOUND // 1000 // GRID) * GRID


def _as_frame(picture: Image.Image) -> VideoFrame:
    """With even sides, for H.264 halves its colours."""
    width, height = max(2, picture.width // 2 * 2), max(2, picture.height // 2 * 2)
    even = picture if (width, height) == picture.size else picture.resize((width, height))
    return VideoFrame.from_ndarray(np.asarray(even), format="rgb24")

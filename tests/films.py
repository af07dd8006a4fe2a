"""Makers of test films: real encoded files whose scenes begin at known seconds, and the odd ones that people upload.

    make_film(path, [(picture, 4.0), (other, 6.0)], fps=25, codec="libx264", rotation=90, audio=True)

The container follows from the path's suffix. Nothing is random: the same arguments make the same scenes at the
same seconds.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import cycle, pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

from tests import pictures

SIZE = (320, 240)
Scene = tuple[Image.Image, float]  # what it shows, and for how many seconds
Curve = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint16]]

# By suffix: the codecs of pictures and sound that such files usually hold.
USUAL = {
    ".mp4": ("libx264", "aac"),
    ".mov": ("libx264", "aac"),
    ".mkv": ("libx264", "libopus"),
    ".webm": ("libvpx", "libopus"),
    ".avi": ("mpeg4", "mp2"),
    ".mpg": ("mpeg2video", "mp2"),
    ".ts": ("libx264", "aac"),
    ".flv": ("libx264", "aac"),
}
FORMATS = {".mkv": "matroska", ".mpg": "mpeg", ".ts": "mpegts"}
QUICK: dict[str, dict[str, str]] = {
    "libx264": {"preset": "ultrafast", "crf": "20"},
    "libx265": {"preset": "ultrafast", "crf": "20", "x265-params": "log-level=none"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8", "crf": "10", "b": "2M"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "crf": "30"},
    "mpeg4": {"qscale": "3"},
    "mpeg2video": {"qscale": "3"},
}
TICKS = 90_000
# Lengths of frames in parts of the usual one, for a variable rate: their mean is 1.
UNEVEN = (0.5, 0.5, 1.0, 2.0, 0.25, 1.75)


def scenes(count: int, seconds: float = 4.0, size: tuple[int, int] = SIZE, seed: int = 0) -> list[Scene]:
    """Scenes that look nothing like each other."""
    return [(pictures.distinct(1000 + seed + number, size), seconds) for number in range(count)]


def starts(shown: Sequence[Scene]) -> list[float]:
    """The second at which each scene begins."""
    ends = np.cumsum([seconds for _, seconds in shown]).tolist()
    return [0.0, *ends[:-1]]


def make_film(
    path: Path,
    shown: Sequence[Scene],
    *,
    fps: float = 10,
    codec: str = "",
    rotation: int = 0,
    audio: bool = False,
    variable: bool = False,
    aspect: Fraction = Fraction(1),
    gop: int = 0,
    begin: float = 0.0,
    hdr: bool = False,
    hlg: bool = False,
    interlaced: bool = False,
    metadata: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Write a film and return its path.

    `rotation`: degrees counter-clockwise by which a player turns the picture (as telephones write it).
    `aspect`: width of a pixel by its height. `gop`: frames from one key frame to the next. `begin`: the
    timestamp of the first frame. `hdr`: BT.2020 with the PQ curve, 10 bits; `hlg`: with the HLG curve. `interlaced`:
    the two fields of a frame are half a frame apart, and the picture moves to the side in between.
    """
    chosen, sound = USUAL[path.suffix]
    chosen = codec or chosen
    with av.open(str(path), "w", format=FORMATS.get(path.suffix), options=options or {}) as container:
        container.metadata.update(metadata or {})
        video = _video_stream(container, chosen, shown[0][0].size, fps, gop, hdr or hlg, interlaced, aspect)
        if hlg:
            video.codec_context.color_trc = 18  # ARIB STD-B67
        if rotation:
            video.set_display_rotation(rotation)
        track = _audio_stream(container, sound) if audio else None
        seconds = sum(length for _, length in shown)
        for frame in _frames(shown, fps, variable, begin, as_hlg if hlg else as_pq if hdr else None, interlaced):
            container.mux(video.encode(frame))
        container.mux(video.encode())
        if track is not None:
            _write_sound(container, track, seconds, begin)
    return path


def audio_only(path: Path, seconds: float = 3.0) -> Path:
    """A film's container with nothing but sound."""
    with av.open(str(path), "w", format=FORMATS.get(path.suffix)) as container:
        _write_sound(container, _audio_stream(container, USUAL[path.suffix][1]), seconds, 0.0)
    return path


def without_frames(path: Path) -> Path:
    """A video stream that is announced, and has no frame."""
    with av.open(str(path), "w", format=FORMATS.get(path.suffix)) as container:
        stream = _video_stream(container, USUAL[path.suffix][0], SIZE, 10, 0, False, False, Fraction(1))
        sound = _audio_stream(container, USUAL[path.suffix][1])
        _write_sound(container, sound, 1.0, 0.0)
        assert stream.frames == 0
    return path


def cut_off(path: Path, share: float) -> Path:
    """The same file, ending after `share` of its bytes."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def lie_about_duration(path: Path, seconds: float) -> Path:
    """Have an MP4's or a Matroska file's header name another duration than its frames have."""
    data = bytearray(path.read_bytes())
    if path.suffix in (".mkv", ".webm"):
        at = data.index(b"\x44\x89\x88") + 3  # the element Duration, of 8 bytes: a double, in milliseconds
        data[at : at + 8] = struct.pack(">d", seconds * 1000)
    else:
        for box, scale_at, length_at in ((b"mvhd", 16, 20), (b"mdhd", 16, 20)):
            at = data.index(box)
            (scale,) = struct.unpack_from(">I", data, at + scale_at)
            struct.pack_into(">I", data, at + length_at, min(2**32 - 2, int(seconds * scale)))
        for at in (data.index(b"tkhd"), data.index(b"mvhd")):
            (scale,) = struct.unpack_from(">I", data, data.index(b"mvhd") + 16)
            length_at = 24 if data[at : at + 4] == b"tkhd" else 20
            struct.pack_into(">I", data, at + length_at, min(2**32 - 2, int(seconds * scale)))
    path.write_bytes(data)
    return path


def animation(path: Path, shown: Sequence[Scene]) -> Path:
    """A GIF or WebP with one picture a scene, each for as long as its scene lasts."""
    first, *others = [picture for picture, _ in shown]
    lengths = [int(seconds * 1000) for _, seconds in shown]
    first.save(path, save_all=True, append_images=others, duration=lengths, loop=0)
    return path


def reads_another_file(path: Path, other: Path) -> Path:
    """A text that FFmpeg, left alone, would obey by opening `other`."""
    path.write_text(f"ffconcat version 1.0\nfile {other.name}\nduration 3\n")
    return path


def _video_stream(
    container: Any,
    codec: str,
    size: tuple[int, int],
    fps: float,
    gop: int,
    hdr: bool,
    interlaced: bool,
    aspect: Fraction,
) -> VideoStream:
    rate = Fraction(fps).limit_denominator(1001)
    options = dict(QUICK.get(codec, {}))
    if interlaced and codec == "libx264":
        options["x264-params"] = "tff=1"
    stream: VideoStream = container.add_stream(codec, rate=rate, options=options)
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p10le" if hdr else "yuv420p"
    stream.codec_context.sample_aspect_ratio = aspect
    if codec not in ("mpeg4", "mpeg2video"):  # those two only know time in whole frames
        stream.codec_context.time_base = Fraction(1, TICKS)
    if gop:
        stream.codec_context.gop_size = gop
    if hdr:
        stream.codec_context.color_primaries = 9  # BT.2020
        stream.codec_context.color_trc = 16  # SMPTE ST 2084, PQ
        stream.codec_context.colorspace = 9
    return stream


def _frames(
    shown: Sequence[Scene], fps: float, variable: bool, begin: float, curve: Curve | None, interlaced: bool
) -> Iterator[VideoFrame]:
    step = 0
    for (picture, seconds), first in zip(shown, starts(shown), strict=True):
        for at in _times(first, seconds, fps, variable):
            frame = _frame(picture, step, curve, interlaced)
            frame.pts = round((begin + at) * TICKS)
            frame.time_base = Fraction(1, TICKS)
            step += 1
            yield frame


def _times(first: float, seconds: float, fps: float, variable: bool) -> list[float]:
    if not variable:
        return [first + number / fps for number in range(round(seconds * fps))]
    found: list[float] = []
    at = first
    for part in cycle(UNEVEN):
        if at >= first + seconds - 1e-6:
            return found
        found.append(at)
        at += part / fps
    return found


def _frame(picture: Image.Image, step: int, curve: Curve | None, interlaced: bool) -> VideoFrame:
    rgb = np.asarray(picture.convert("RGB"))
    if interlaced:
        woven = np.roll(rgb, 8 * step, axis=1)
        woven[1::2] = np.roll(rgb, 8 * step + 4, axis=1)[1::2]
        return VideoFrame.from_ndarray(woven, format="rgb24")
    if curve is not None:
        frame = VideoFrame.from_ndarray(curve(rgb), format="rgb48le")
        return frame.reformat(format="yuv420p10le", dst_colorspace="bt2020", src_color_range=2, dst_color_range=1)
    return VideoFrame.from_ndarray(rgb, format="rgb24")


# BT.709 to BT.2020 in linear light (ITU-R BT.2087), and the curve of SMPTE ST 2084.
TO_2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
WHITE = 203.0  # cd/m2 of reference white in HDR (ITU-R BT.2408)


def as_pq(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint16]:
    """An sRGB picture (h, w, 3) as 16-bit BT.2020 PQ, its white at 203 cd/m2."""
    light = _light(rgb) / 10_000
    power = light**0.1593017578125
    coded = ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    return np.asarray(np.round(coded * 65535), dtype=np.uint16)


def as_hlg(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint16]:
    """An sRGB picture (h, w, 3) as 16-bit BT.2020 HLG for a display of 1000 cd/m2, its white at 203 (ITU-R BT.2100)."""
    shown = _light(rgb) / 1000
    luma = np.maximum(shown @ np.array([0.2627, 0.6780, 0.0593]), 1e-9)[..., None]
    scene = shown * luma ** (1 / 1.2 - 1)
    curved = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    coded = np.where(scene <= 1 / 12, np.sqrt(3 * scene), curved)
    return np.asarray(np.round(np.clip(coded, 0, 1) * 65535), dtype=np.uint16)


def _light(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """In cd/m2, with BT.2020 primaries."""
    value = rgb / 255.0
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.clip(linear @ TO_2020.T, 0, None) * WHITE)


def _audio_stream(container: Any, codec: str) -> AudioStream:
    stream: AudioStream = container.add_stream(codec, rate=48_000)
    stream.codec_context.layout = "mono"
    return stream


def _write_sound(container: Any, stream: AudioStream, seconds: float, begin: float) -> None:
    """A quiet tone of 440 Hz."""
    rate, block = 48_000, 960
    kind = stream.codec_context.format.name
    edges = range(0, int(seconds * rate) + 1, block)
    for start, end in pairwise(edges):
        wave = 0.1 * np.sin(2 * np.pi * 440 * np.arange(start, end) / rate)
        samples = (wave * 32767).astype(np.int16) if kind.startswith("s16") else wave.astype(np.float32)
        frame = AudioFrame.from_ndarray(samples.reshape(1, -1), format=kind, layout="mono")
        frame.sample_rate, frame.pts = rate, start + int(begin * rate)
        frame.time_base = Fraction(1, rate)
        container.mux(stream.encode(frame))
    container.mux(stream.encode())

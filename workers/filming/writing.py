"""Films into files that browsers play: H.264 in MP4 or VP9 in WebM, the same bytes each time."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

from workers.filming.shots import Size

CODECS = {".mp4": "libx264", ".webm": "libvpx-vp9"}
# x264's macroblock tree reads memory that nobody wrote where a film is shorter than its look-ahead.
QUICK = {
    "libx264": {"preset": "veryfast", "crf": "24", "x264-params": "mbtree=0"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "row-mt": "1", "crf": "34", "b": "0"},
}
# No time of writing, no random name of the file inside it; and the table of an MP4 in front, so that it plays at once.
SAME_BYTES = {".mp4": {"fflags": "+bitexact", "movflags": "+faststart"}, ".webm": {"fflags": "+bitexact"}}
KEY_SECONDS = 2


def write_film(
    path: Path, pictures: Iterable[Image.Image], *, size: Size, fps: int, title: str = "", about: str = ""
) -> None:
    """Write `pictures`, all of `size` (both sides even), `fps` of them a second. `about` goes where players show a
    comment and a description. The codec follows from the path's suffix."""
    codec = CODECS[path.suffix]
    with av.open(str(path), "w", options=SAME_BYTES[path.suffix]) as container:
        container.metadata.update({"title": title, "comment": about, "description": about})
        stream = container.add_stream(codec, rate=Fraction(fps), options=QUICK[codec])
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = KEY_SECONDS * fps
        for picture in pictures:
            container.mux(stream.encode(VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")))
        container.mux(stream.encode())

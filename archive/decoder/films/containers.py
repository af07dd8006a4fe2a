"""Opening a container by FFmpeg: one demuxer, told by the content; no other file, no network."""

from __future__ import annotations

from typing import IO

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from archive.decoder.refusals import corrupt, no_frames, no_pictures, refusal_of, truncated
from archive.sniff import FILMS

# The demuxer is named, so FFmpeg never guesses one: a playlist called film.mp4 is no MP4 to it. Should a demuxer
# want to open another file all the same, it may not: no format but these, by no protocol at all.
DEMUXERS = {
    "video/mp4": "mov",
    "video/quicktime": "mov",
    "video/webm": "matroska",
    "video/x-matroska": "matroska",
    "video/x-msvideo": "avi",
    "video/mp2t": "mpegts",
    "video/mpeg": "mpeg",
}
NAMES = {"mov": "mov,mp4,m4a,3gp,3g2,mj2", "matroska": "matroska,webm"}
BUFFER = 256 * 1024
PROBE = {"probesize": "20000000", "analyzeduration": "20000000"}


def open_container(file: IO[bytes], media_type: str) -> InputContainer:
    """Raises Undecodable where it cannot be opened."""
    label = FILMS[media_type].label
    demuxer = DEMUXERS[media_type]
    if media_type == "video/mpeg" and _is_bare(file):
        demuxer = "mpegvideo"
    allowed = {"format_whitelist": NAMES.get(demuxer, demuxer), "protocol_whitelist": "none"}
    if demuxer == "mov":
        allowed["export_xmp"] = "1"
    try:
        container = av.open(
            file, "r", format=demuxer, options=allowed | PROBE, buffer_size=BUFFER, metadata_errors="replace"
        )
    except (FFmpegError, ValueError) as problem:
        if demuxer == "mov" and _lacks_index(file):
            raise truncated(label) from problem
        raise refusal_of(problem, label) from problem
    return container


def picture_stream(container: InputContainer, label: str) -> VideoStream:
    """The stream that people see; a cover picture is none. Raises Undecodable where there is none."""
    streams = [stream for stream in container.streams.video if not _is_cover(stream)]
    if not streams:
        raise no_pictures(label) if container.streams.audio else corrupt(label)
    stream = max(streams, key=lambda one: (_is_default(one), one.codec_context.width * one.codec_context.height))
    if not stream.codec_context.width or not stream.codec_context.height:
        raise no_frames(label)
    stream.codec_context.thread_count = 1  # several processes decode side by side, and `skip_frame` acts at once
    return stream


def _is_cover(stream: VideoStream) -> bool:
    return bool(stream.disposition & type(stream.disposition).attached_pic)


def _is_default(stream: VideoStream) -> bool:
    return bool(stream.disposition & type(stream.disposition).default)


def _is_bare(file: IO[bytes]) -> bool:
    """MPEG pictures without a container around them."""
    file.seek(0)
    bare = file.read(4) == b"\0\0\1\xb3"
    file.seek(0)
    return bare


def _lacks_index(file: IO[bytes]) -> bool:
    """Whether the boxes of an MP4 end before `moov`: cut off while it was sent, or never finished by its camera."""
    file.seek(0, 2)
    size, at = file.tell(), 0
    while at + 8 <= size:
        file.seek(at)
        head = file.read(16)
        length, name = int.from_bytes(head[:4], "big"), head[4:8]
        if name == b"moov":
            return at + length > size
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8:
            return length == 0
        at += length
    return True

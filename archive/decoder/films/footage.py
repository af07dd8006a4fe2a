"""A film in a container, by FFmpeg."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from typing import IO

from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

from archive.decoder.captions import written_as
from archive.decoder.clean import OFFSET, clean_text
from archive.decoder.decoded import Facts
from archive.decoder.films.anew import JOINABLE, begins_anew, continued
from archive.decoder.films.containers import open_container, picture_stream
from archive.decoder.films.reel import Known
from archive.decoder.films.sampling import Sampler
from archive.decoder.films.upright import HLG, PQ, picture_of, sane_aspect, seen_size
from archive.decoder.films.watched import Late, Watched, despite_damage
from archive.decoder.refusals import corrupt, no_frames, too_many_pixels
from archive.decoder.specs import Spec
from archive.sniff import FILMS

MICROSECONDS = 1_000_000
SLACK = 2.0  # a header that is wrong by less, in seconds, is no news
CURVES = {PQ: "HDR (PQ)", HLG: "HDR (HLG)"}
PLACE = re.compile(r"([+-]\d+(?:\.\d+)?)([+-]\d+(?:\.\d+)?)")
MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?\s*(Z|[+-]\d\d:?\d\d)?")


class Footage:
    def __init__(self, file: IO[bytes], media_type: str, max_pixels: int, watched: Watched) -> None:
        self.watched = watched
        self.label = FILMS[media_type].label
        self.damaged = 0
        self.container: InputContainer = open_container(file, media_type)
        self.stream: VideoStream = picture_stream(self.container, self.label)
        context = self.stream.codec_context
        if context.width * context.height > max_pixels:
            raise too_many_pixels(context.width, context.height, max_pixels)
        self.aspect = sane_aspect(self.stream.sample_aspect_ratio or context.sample_aspect_ratio)
        self.zero_ms = self._zero_ms()
        self._moved = False

    @cached_property
    def anew(self) -> bool:
        """Whether its timestamps begin anew somewhere."""
        self._moved = self._moved or self.container.format.name in JOINABLE
        return begins_anew(self.container, self.stream)

    def sampler(self, step_ms: int) -> Sampler:
        anew, moved = self.anew, self._moved
        self._moved = True
        return Sampler(self.container, self.stream, self.zero_ms, step_ms, self.watched.look_at_clock, moved, anew)

    def know(self) -> Known:
        notes: list[str] = []
        self._moved = True
        end_ms = self._end_or_header(notes)
        first = self._first_frame()
        width, height = seen_size(first.width, first.height, self.aspect)
        if round(first.rotation / 90) % 2:
            width, height = height, width
        seconds = round(end_ms / 1000, 3)
        said = self.container.duration / MICROSECONDS if self.container.duration else seconds
        if self.anew:
            notes.append("Its timestamps begin anew within it, as where films were joined: they are counted on.")
        elif abs(said - seconds) > max(SLACK, 0.02 * seconds):
            notes.append(
                f"Its header names {_clock(said)}, its pictures end at {_clock(seconds)}: that is what counts here."
            )
        if first.interlaced_frame:
            notes.append("It is interlaced: of each frame one field is used.")
        if int(first.color_trc) in CURVES:
            notes.append(f"It is {CURVES[int(first.color_trc)]}: its frames were made SDR.")
        return Known(width, height, seconds, self._facts(notes), self._technical(first), notes)

    def frames(self, first_ms: int, step_ms: int, spec: Spec) -> Iterator[tuple[int, Image.Image]]:
        sampler = self.sampler(step_ms)
        for at, frame in sampler.frames(first_ms):
            self.damaged = sampler.damaged
            yield at, picture_of(frame, self.aspect, spec)
        self.damaged = sampler.damaged

    def _zero_ms(self) -> float:
        """Players count from the earliest timestamp of all streams."""
        earliest: int | None = self.container.start_time  # None where nothing says it, whatever the stubs promise
        return (earliest or 0) / 1000

    def _end_ms(self) -> float:
        """Where the last frame ends, told by the packets: by the last ones, else by all."""
        if self.anew:
            return self._last_packet(continued(self.container, self.stream))
        for target in (self.container.duration, 0):
            with despite_damage():
                self.container.seek((target or 0) + (self.container.start_time or 0), backward=True)
            end = self._last_packet(self.container.demux(self.stream))
            if end > 0:
                return end
        return 0.0

    def _end_or_header(self, notes: list[str]) -> float:
        """A large file without an index has to be read as a whole to find its end: only while there is time."""
        said: int | None = self.container.duration  # None where no header names it, whatever the stubs promise
        self.watched.allow(self.watched.seconds * (1 if said else 2))
        try:
            return self._end_ms()
        except Late:
            if not said:
                raise
        self.watched.allow(self.watched.seconds)
        notes.append("It has no index and takes long to read: its length is what its header says.")
        return said / 1000

    def _last_packet(self, packets: Iterator[Packet[VideoStream]]) -> float:
        end = 0.0
        base = self.stream.time_base
        assert base is not None
        usual = 1 / float(self.stream.average_rate or 25)
        with despite_damage():
            for packet in packets:
                self.watched.look_at_clock()
                when = packet.pts if packet.pts is not None else packet.dts
                if packet.size and when is not None:
                    length = float(packet.duration * base) if packet.duration else usual
                    end = max(end, (float(when * base) + length) * 1000 - self.zero_ms)
        return end

    def _first_frame(self) -> VideoFrame:
        with despite_damage():
            self.container.seek(0, backward=True)
        self.stream.codec_context.flush_buffers()
        problem: Exception | None = None
        packets = self.container.demux(self.stream)
        while True:
            try:
                for packet in packets:
                    for frame in self.stream.codec_context.decode(packet):
                        return frame
                break
            except MemoryError:
                raise
            except (FFmpegError, ValueError) as error:
                problem = problem or error
                self.damaged += 1
                if self.damaged > 500:
                    break
                packets = self.container.demux(self.stream)
        raise corrupt(self.label) if problem else no_frames(self.label)

    def _technical(self, first: VideoFrame) -> dict[str, str | float]:
        """Short facts for people, and for telling whether a browser plays it as it is."""
        audio = next(iter(self.container.streams.audio), None)
        found: dict[str, str | float] = {
            "Container": self.label,
            "VideoCodec": clean_text(self.stream.codec_context.name),
            "PixelFormat": clean_text(first.format.name),
            "FrameRate": round(float(self.stream.average_rate or 0), 3),
            "Rotation": int(first.rotation),
        }
        if audio is not None:
            found["AudioCodec"] = clean_text(audio.codec_context.name)
        return found

    def _facts(self, notes: list[str]) -> Facts:
        tags = {**self.stream.metadata, **self.container.metadata}
        packet = tags.pop("xmp", None)
        said = {key.lower(): clean_text(text) for key, text in tags.items()}

        def first(*keys: str) -> str:
            return next((said[key] for key in keys if said.get(key)), "")

        taken_at, offset = _moment(first("com.apple.quicktime.creationdate", "creation_time", "date"))
        latitude, longitude = _place(first("com.apple.quicktime.location.iso6709", "location"))
        written = written_as(packet, notes, first("keywords", "com.apple.quicktime.keywords"))
        make = first("com.apple.quicktime.make", "com.android.manufacturer", "make")
        model = first("com.apple.quicktime.model", "com.android.model", "model")
        return Facts(
            taken_at=taken_at,
            taken_offset=offset,
            latitude=latitude,
            longitude=longitude,
            camera=model if model.startswith(make) else f"{make} {model}".strip(),
            title=written.title or first("title", "com.apple.quicktime.title"),
            caption=written.caption or first("description", "com.apple.quicktime.description", "comment", "synopsis"),
            keywords=written.keywords,
        )


def _moment(text: str) -> tuple[str | None, str | None]:
    """The clock's time and its zone. Cameras without a clock write the beginning of their count: that is none."""
    found = MOMENT.match(text)
    if not found:
        return None, None
    day, clock, zone = found.groups()
    with suppress(ValueError):
        moment = datetime.fromisoformat(f"{day}T{clock}")
        if moment.year > 1970:
            offset = "+00:00" if zone in (None, "Z") else f"{zone[:3]}:{zone[-2:]}"
            return moment.isoformat(), offset if OFFSET.fullmatch(offset) else None
    return None, None


def _place(text: str) -> tuple[float | None, float | None]:
    found = PLACE.match(text)
    if not found:
        return None, None
    latitude, longitude = float(found[1]), float(found[2])
    return (latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else (None, None)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

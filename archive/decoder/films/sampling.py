"""One frame for each step of time, without decoding what nobody asked for.

Packets are read a group at a time, from one key frame to the next. A group in which no wanted frame begins is
skipped undecoded; in the others only what other frames are made of is decoded beside the wanted ones, and
nothing behind the last of them. Where the steps are long, the reader jumps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from av.container import InputContainer
from av.error import EOFError as AvEOFError
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from archive.decoder.films.anew import continued
from archive.decoder.films.watched import despite_damage

if TYPE_CHECKING:
    Picked = Packet[VideoStream]  # generic in the stubs only
else:
    Picked = Packet

LONGEST_GROUP = 600  # packets that are held; a longer group is decoded as it comes
LARGEST_GROUP = 64 * 1024 * 1024  # and so is a larger one, in bytes
FAR = 10_000  # a gap of so many milliseconds is jumped over, not read
BACK = (0, 5_000, 20_000, 80_000)  # so far before its target a jump is tried, until a key frame lies before it


@dataclass
class Group:
    packets: list[Picked]
    keyed: bool  # begins with a key frame: nothing before it is needed
    closed: bool  # ends with the next one


@dataclass
class Sampler:
    """Frames of `stream` with `first_ms <= at`, the first of each step, in order."""

    container: InputContainer
    stream: VideoStream
    zero_ms: float  # the timestamp that counts as the beginning
    step_ms: int
    look_at_clock: Callable[[], None]  # raises where the time is over
    moved: bool = False  # the container stands elsewhere than where it was opened
    anew: bool = False  # its timestamps begin anew (`archive.decoder.films.anew`)
    damaged: int = field(default=0, init=False)  # packets that could not be read or decoded
    _slot: int = field(default=0, init=False)

    def frames(self, first_ms: int) -> Iterator[tuple[int, VideoFrame]]:
        """(milliseconds, frame) until the film ends or the caller has enough."""
        self._slot = first_ms // self.step_ms
        jumped = self._slot * self.step_ms
        groups = self._groups_from(first_ms)
        while (group := next(groups, None)) is not None:
            yield from self._decode(group)
            target = self._slot * self.step_ms
            # Once for each step: where a picture stands for long, or the film ends, no key frame lies nearer.
            if not self.anew and group.closed and target != jumped and target - self._end_of(group) > FAR:
                jumped = target
                self.stream.codec_context.flush_buffers()
                groups = self._groups_from(target)

    def standing(self, at_ms: int) -> tuple[int, VideoFrame] | None:
        """The last frame that begins no later than `at_ms`; None where there is none. For steps of a millisecond."""
        found: tuple[int, VideoFrame] | None = None
        for group in self._groups_from(at_ms):
            for at, frame in self._decode(group):
                if at > at_ms:
                    return found
                found = at, frame
        return found

    def at_ms(self, pts: int) -> int:
        assert self.stream.time_base is not None
        return round(float(pts * self.stream.time_base * 1000) - self.zero_ms)

    def _groups_from(self, target_ms: int) -> Iterator[Group]:
        if self.anew:
            return self._groups(self._packets())
        if target_ms <= 0 and not self.moved:
            self.moved = True
            return self._groups(self._packets())
        # A program stream does not time each frame: right after a jump FFmpeg guesses, and is right a little later.
        for back in BACK[1:] if self.container.format.name == "mpeg" else BACK:
            self._seek(max(0, target_ms - back))
            packets = self._packets()
            first = next((packet for packet in packets if packet.is_keyframe and packet.pts is not None), None)
            reached = first is not None and first.pts is not None and self.at_ms(first.pts) <= target_ms
            if first is not None and (reached or target_ms - back <= 0):
                return self._groups(_with(first, packets))
        self._seek(0)
        return self._groups(self._packets())

    def _seek(self, target_ms: int) -> None:
        assert self.stream.time_base is not None
        self.moved = True
        target = int((target_ms + self.zero_ms) / 1000 / self.stream.time_base)
        with despite_damage():  # without an index some formats can only be read on
            self.container.seek(target, backward=True, any_frame=False, stream=self.stream)
        self.stream.codec_context.flush_buffers()

    def _packets(self) -> Iterator[Picked]:
        """Until the end, or what a cut-off file has for one."""
        try:
            packets = self.container.demux(self.stream)
            for packet in continued(self.container, self.stream) if self.anew else packets:
                self.look_at_clock()
                if packet.size:
                    yield packet
        except MemoryError:
            raise
        except (FFmpegError, ValueError):
            self.damaged += 1

    def _groups(self, packets: Iterator[Picked]) -> Iterator[Group]:
        held: list[Picked] = []
        size, keyed = 0, False
        for packet in packets:
            if packet.is_keyframe and held:
                yield Group(held, keyed, closed=True)
                held, size, keyed = [], 0, True
            elif len(held) >= LONGEST_GROUP or size >= LARGEST_GROUP:
                yield Group(held, keyed, closed=False)
                held, size, keyed = [], 0, False
            if not held and packet.is_keyframe:
                keyed = True
            held.append(packet)
            size += packet.size
        if held:
            yield Group(held, keyed, closed=True)

    def _decode(self, group: Group) -> Iterator[tuple[int, VideoFrame]]:
        context = self.stream.codec_context
        wanted = self._wanted(group)
        if wanted is not None and not wanted:
            return
        if group.keyed:
            context.flush_buffers()
        begins = group.packets[0].pts if group.keyed else None
        last = max(wanted) if wanted else None
        for packet in group.packets:
            needed = wanted is None or packet.pts in wanted
            context.skip_frame = "DEFAULT" if needed else "NONREF"
            for frame in self._decoded(packet):
                pts = frame.pts  # whoever takes the frame may write another time on it
                yield from self._taken(frame, wanted, begins)
                if last is not None and pts is not None and pts >= last:
                    return
        if group.closed:
            context.skip_frame = "DEFAULT"
            for frame in self._decoded(None):
                yield from self._taken(frame, wanted, begins)
            context.flush_buffers()

    def _wanted(self, group: Group) -> set[int] | None:
        """Timestamps of the frames to take: the first of each step. None: all have to be looked at, for they are
        parts of a group that is too long to hold, or do not say their time."""
        times = [packet.pts for packet in group.packets]
        if not (group.keyed and group.closed) or any(pts is None for pts in times):
            return None
        found: set[int] = set()
        slot = self._slot
        for pts in sorted(pts for pts in times if pts is not None and pts >= (times[0] or 0)):
            own = self.at_ms(pts) // self.step_ms
            if own >= slot:
                found.add(pts)
                slot = own + 1
        return found

    def _taken(
        self, frame: VideoFrame, wanted: set[int] | None, begins: int | None
    ) -> Iterator[tuple[int, VideoFrame]]:
        if frame.pts is None or (begins is not None and frame.pts < begins):  # made of a group that was skipped
            return
        at = self.at_ms(frame.pts)
        slot = at // self.step_ms
        if at < 0 or slot < self._slot:
            return
        if wanted is not None and frame.pts not in wanted and self._comes_yet(frame.pts, slot, wanted):
            return
        self._slot = slot + 1
        yield at, frame

    def _comes_yet(self, pts: int, slot: int, wanted: set[int]) -> bool:
        """Whether the wanted frame of this step is still to come; a damaged one never does."""
        return any(self.at_ms(one) // self.step_ms == slot and one > pts for one in wanted)

    def _decoded(self, packet: Picked | None) -> list[VideoFrame]:
        try:
            return list(self.stream.codec_context.decode(packet))
        except AvEOFError:
            return []
        except MemoryError:
            raise
        except (FFmpegError, ValueError):
            self.damaged += 1
            return []

    def _end_of(self, group: Group) -> int:
        return max((self.at_ms(one.pts) for one in group.packets if one.pts is not None), default=0)


def _with(first: Picked, rest: Iterator[Picked]) -> Iterator[Picked]:
    yield first
    yield from rest

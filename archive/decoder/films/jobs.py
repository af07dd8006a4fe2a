"""The two things that are asked about a film: what it is, and what a stretch of it shows."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from io import BytesIO
from itertools import islice
from typing import IO

from PIL import Image, ImageStat

from archive.decoder.clean import clean_text
from archive.decoder.decoded import Decoded, Stretch
from archive.decoder.films.ahead import Ahead
from archive.decoder.films.animations import Animation
from archive.decoder.films.footage import Footage
from archive.decoder.films.reel import Known, Reel
from archive.decoder.films.watched import Late, Watched, watching
from archive.decoder.refusals import Undecodable, no_frames
from archive.decoder.renditions import renditions_of
from archive.decoder.specs import FRAME, PREVIEW, Spec
from archive.sniff import FILMS, HEAD, PICTURES, UnsupportedMedia, sniff

MAX_NOTES = 8
PATIENCE = 3  # the whole of a stretch may take so many times as long as its frames
# Where a picture that stands for the whole film is looked for, in parts of its length.
LOOKED_AT = (0.1, 0.25, 0.5, 0.0)
LIVELY = 30.0  # the spread of grey values of a picture that shows something


def open_reel(file: IO[bytes], max_pixels: int, watched: Watched) -> Reel:
    """By the content. Raises Undecodable."""
    head = file.read(HEAD)
    file.seek(0)
    media_type = sniff(head)
    if media_type in FILMS:
        watched.label = FILMS[media_type].label
        return Footage(file, media_type, max_pixels, watched)
    if media_type in ("image/gif", "image/webp"):
        watched.label = PICTURES[media_type].label
        return Animation(file, media_type, max_pixels)
    problem = UnsupportedMedia(media_type, empty=not head)
    raise Undecodable(str(problem), "empty" if problem.empty else "unsupported")


def look_at_film(file: IO[bytes], specs: Sequence[Spec], seconds: float, max_pixels: int) -> Decoded:
    """What a film says of itself, its true length, and a picture that stands for it.

    `seconds` are for its length and as much for its picture. Raises Undecodable, DecoderTimedOut, StoreFailed.
    """
    watched = Watched(file)
    with watching(watched, seconds, max_pixels):
        source = watched.reader()
        head = source.read(HEAD)
        source.seek(0)
        reel = open_reel(source, max_pixels, watched)
        known = reel.know()
        poster = _poster(reel, known, watched)
        facts = known.facts
        said = {name: getattr(facts, name) for name in facts.__dataclass_fields__ if name != "exif"}
        notes = [*known.notes, *_of_damage(reel)]
        return Decoded(
            **said,
            exif=known.technical,
            format=reel.label,
            media_type=sniff(head) or "",
            width=known.width,
            height=known.height,
            duration=known.seconds,
            notes=tuple(clean_text(note, 300) for note in notes)[:MAX_NOTES],
            renditions=renditions_of(poster, specs),
        )


class StretchReader:
    """A film of which one stretch is read after the other, by one decoder as long as each goes on where the one before
    ended."""

    def __init__(self, file: IO[bytes], max_pixels: int) -> None:
        self.watched = Watched(file)
        self.max_pixels = max_pixels
        self._place: tuple[int, int] | None = None  # where it stands: milliseconds, and the step

    @property
    def goes_on(self) -> bool:
        return self._place is not None

    def stands_at(self, first_ms: int, step_ms: int) -> bool:
        return self._place == (first_ms, step_ms)

    def read(self, first_ms: int, until_ms: int, step_ms: int, seconds: float) -> Stretch:
        """The frames of `[first_ms, until_ms)` as JPEGs, fewer where the way to them or they themselves take long.

        After the first frame there are `seconds` for the others; thrice as much for the whole. Raises Undecodable,
        StoreFailed, and DecoderTimedOut where there was time for not a single frame.
        """
        with watching(self.watched, PATIENCE * seconds, self.max_pixels):
            if not self.stands_at(first_ms, step_ms):
                self._reel = open_reel(self.watched.reader(), self.max_pixels, self.watched)
                self._frames = Ahead(self._reel.frames(first_ms, step_ms, FRAME))
            self._place = None
            frames: list[tuple[int, bytes]] = []
            reached = until_ms
            try:
                ended = self._read(until_ms, seconds, frames)
            except Late:  # which ends the decoder's run, too
                if not frames:
                    raise
                return Stretch(frames, _behind(frames, step_ms, until_ms), False, _of_damage(self._reel))
            if ended is None:
                reached = _behind(frames, step_ms, until_ms)
            if not ended:
                self._place = reached, step_ms
            return Stretch(frames, reached, bool(ended), _of_damage(self._reel))

    def _read(self, until_ms: int, seconds: float, frames: list[tuple[int, bytes]]) -> bool | None:
        """Adds to `frames`; returns whether the film ended before `until_ms`, None where the time was over first."""
        stop = math.inf
        for at, picture in self._frames:
            if at >= until_ms:
                self._frames.put_back(at, picture)
                return False
            frames.append((at, _as_jpeg(picture)))
            stop = min(stop, time.monotonic() + seconds)
            if time.monotonic() > stop:
                return None
        return True


def read_stretch(
    file: IO[bytes], first_ms: int, until_ms: int, step_ms: int, seconds: float, max_pixels: int
) -> Stretch:
    """One stretch alone, as `StretchReader.read` has it."""
    return StretchReader(file, max_pixels).read(first_ms, until_ms, step_ms, seconds)


def _behind(frames: list[tuple[int, bytes]], step_ms: int, until_ms: int) -> int:
    """The beginning of the step that follows the last frame."""
    return min((frames[-1][0] // step_ms + 1) * step_ms, until_ms)


def _poster(reel: Reel, known: Known, watched: Watched) -> Image.Image:
    """The first lively picture of a few, else the liveliest: films begin with black and with titles."""
    best: tuple[float, Image.Image] | None = None
    watched.allow(watched.seconds)
    for share in LOOKED_AT:
        try:
            picture = _picture_at(reel, int(share * known.seconds * 1000))
        except Late:
            break
        if picture is not None:
            spread = float(ImageStat.Stat(picture.convert("L")).stddev[0])
            if best is None or spread > best[0]:
                best = spread, picture
        if best is not None and best[0] > LIVELY:
            break
    if best is not None:
        return best[1]
    watched.allow(watched.seconds)
    first = _picture_at(reel, 0)
    if first is None:
        raise no_frames(reel.label)
    return first


def _picture_at(reel: Reel, first_ms: int) -> Image.Image | None:
    return next((picture for _, picture in islice(reel.frames(first_ms, 1, PREVIEW), 1)), None)


def _of_damage(reel: Reel) -> tuple[str, ...]:
    return ("Parts of it are damaged and could not be read; the rest was.",) if reel.damaged else ()


def _as_jpeg(picture: Image.Image) -> bytes:
    out = BytesIO()
    picture.save(out, "JPEG", quality=FRAME.quality)
    return out.getvalue()

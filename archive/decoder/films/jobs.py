"""The two things that are asked about a film: what it is, and what a stretch of it shows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from io import BytesIO
from itertools import islice
from typing import IO

from PIL import Image, ImageStat

from archive.decoder.clean import clean_text
from archive.decoder.decoded import Decoded, Stretch
from archive.decoder.films.animations import Animation
from archive.decoder.films.footage import Footage
from archive.decoder.films.reel import Known, Reel
from archive.decoder.opening import guarded
from archive.decoder.refusals import Undecodable, no_frames, refusal_of
from archive.decoder.renditions import renditions_of
from archive.decoder.specs import FRAME, PREVIEW, Spec
from archive.sniff import FILMS, HEAD, UnsupportedMedia, sniff

MAX_NOTES = 8
# Where a picture that stands for the whole film is looked for, in parts of its length.
LOOKED_AT = (0.1, 0.25, 0.5, 0.0)
LIVELY = 30.0  # the spread of grey values of a picture that shows something


def open_reel(file: IO[bytes], max_pixels: int) -> Reel:
    """By the content. Raises Undecodable."""
    head = file.read(HEAD)
    file.seek(0)
    media_type = sniff(head)
    if media_type in FILMS:
        return Footage(file, media_type, max_pixels)
    if media_type in ("image/gif", "image/webp"):
        return Animation(file, media_type, max_pixels)
    problem = UnsupportedMedia(media_type, empty=not head)
    raise Undecodable(str(problem), "empty" if problem.empty else "unsupported")


def look_at_film(file: IO[bytes], specs: Sequence[Spec], max_pixels: int) -> Decoded:
    """What a film says of itself, its true length, and a picture that stands for it. Raises Undecodable."""
    head = file.read(HEAD)
    file.seek(0)
    label = "film"
    try:
        with guarded(max_pixels):
            reel = open_reel(file, max_pixels)
            label = reel.label
            known = reel.know()
            poster = _poster(reel, known)
            facts = known.facts
            said = {name: getattr(facts, name) for name in facts.__dataclass_fields__ if name != "exif"}
            notes = [*known.notes, *_of_damage(reel)]
            return Decoded(
                **said,
                exif=known.technical,
                format=label,
                media_type=sniff(head) or "",
                width=known.width,
                height=known.height,
                duration=known.seconds,
                notes=tuple(clean_text(note, 300) for note in notes)[:MAX_NOTES],
                renditions=renditions_of(poster, specs),
            )
    except (Undecodable, ImportError, PermissionError):
        raise
    except Exception as problem:
        raise refusal_of(problem, label) from problem


def read_stretch(
    file: IO[bytes], first_ms: int, until_ms: int, step_ms: int, seconds: float, max_pixels: int
) -> Stretch:
    """The frames of `[first_ms, until_ms)` as JPEGs; fewer when they took longer than `seconds`. Raises Undecodable."""
    stop = time.monotonic() + seconds
    label = "film"
    try:
        with guarded(max_pixels):
            reel = open_reel(file, max_pixels)
            label = reel.label
            frames: list[tuple[int, bytes]] = []
            reached, ended = until_ms, True
            for at, picture in reel.frames(first_ms, step_ms, FRAME):
                if at >= until_ms:
                    ended = False
                    break
                frames.append((at, _as_jpeg(picture)))
                if time.monotonic() > stop:
                    ended, reached = False, (at // step_ms + 1) * step_ms
                    break
            return Stretch(frames, min(reached, until_ms), ended, tuple(_of_damage(reel)))
    except (Undecodable, ImportError, PermissionError):
        raise
    except Exception as problem:
        raise refusal_of(problem, label) from problem


def _poster(reel: Reel, known: Known) -> Image.Image:
    """The first lively picture of a few, else the liveliest: films begin with black and with titles."""
    best: tuple[float, Image.Image] | None = None
    for share in LOOKED_AT:
        first = int(share * known.seconds * 1000)
        for _, picture in islice(reel.frames(first, 1, PREVIEW), 1):
            spread = float(ImageStat.Stat(picture.convert("L")).stddev[0])
            if best is None or spread > best[0]:
                best = spread, picture
        if best is not None and best[0] > LIVELY:
            break
    if best is None:
        raise no_frames(reel.label)
    return best[1]


def _of_damage(reel: Reel) -> list[str]:
    if not reel.damaged:
        return []
    return ["Parts of it are damaged and could not be read; the rest was."]


def _as_jpeg(picture: Image.Image) -> bytes:
    out = BytesIO()
    picture.save(out, "JPEG", quality=FRAME.quality)
    return out.getvalue()

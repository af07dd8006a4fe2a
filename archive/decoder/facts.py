"""What a picture says about itself: EXIF first, then what people wrote in XMP and IPTC."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from PIL import Image, ImageFile
from PIL.ExifTags import GPSTAGS, IFD, TAGS, Base

from archive.decoder.captions import written_in
from archive.decoder.clean import OFFSET, cap, clean_text, clean_value, text_of
from archive.decoder.decoded import Facts
from archive.decoder.keywords import WINDOWS_KEYWORDS
from archive.decoder.place import place_of

# Where pixels lie and other blobs: of no use outside the file.
STRUCTURE = {
    256, 257, 258, 259, 262, 273, 277, 278, 279, 284, 320, 322, 323, 324, 325, 330, 347, 513, 514, 529, 530,
    531, 532, 700, 33723, 34377, 34665, 34675, 34853, 37500, 40965, 50341, 59932,
}  # fmt: skip
TIMES = ((Base.DateTimeOriginal, Base.OffsetTimeOriginal, Base.SubsecTimeOriginal),
         (Base.DateTimeDigitized, Base.OffsetTimeDigitized, Base.SubsecTimeDigitized),
         (Base.DateTime, Base.OffsetTime, Base.SubsecTime))  # fmt: skip
WINDOWS_TITLE, WINDOWS_COMMENT = 0x9C9B, 0x9C9C
# What cameras write into ImageDescription by themselves says nothing about the picture.
EMPTY_WORDS = re.compile(
    r"(olympus|samsung|sony|minolta|konica minolta) digital camera|sony dsc|samsung|default|untitled|dcim.*",
    re.IGNORECASE,
)

Ifd = Mapping[int, Any]


def facts_of(picture: ImageFile.ImageFile, notes: list[str]) -> Facts:
    """Never raises: what cannot be read is left out, with a note."""
    base, photo, gps = (_part(read, notes) for read in _readers(picture))
    taken_at, taken_offset = _taken(base, photo)
    latitude, longitude = place_of(gps)
    written = written_in(picture, notes, _words(base.get(WINDOWS_KEYWORDS)))
    return Facts(
        taken_at=taken_at,
        taken_offset=taken_offset,
        latitude=latitude,
        longitude=longitude,
        camera=_camera(base),
        title=written.title or _words(base.get(WINDOWS_TITLE)),
        caption=written.caption or _description(base) or _words(base.get(WINDOWS_COMMENT)),
        keywords=written.keywords,
        exif=cap(_named(base, TAGS) | _named(photo, TAGS) | _named(gps, GPSTAGS)),
    )


def orientation_of(picture: Image.Image, notes: list[str]) -> int:
    value = _part(picture.getexif, notes).get(Base.Orientation, 1)
    return value if isinstance(value, int) else 1


def _readers(picture: Image.Image) -> tuple[Callable[[], Ifd], ...]:
    return (
        picture.getexif,
        lambda: picture.getexif().get_ifd(IFD.Exif),
        lambda: picture.getexif().get_ifd(IFD.GPSInfo),
    )


def _part(read: Callable[[], Ifd], notes: list[str]) -> Ifd:
    try:
        return dict(read())
    except Exception as problem:  # a broken directory of tags ends in any of a dozen exceptions
        notes.append(f"A part of its EXIF could not be read: {problem}.")
        return {}


def _named(ifd: Ifd, names: Mapping[int, str]) -> dict[str, Any]:
    named = {}
    for tag, value in ifd.items():
        if names is TAGS and (tag in STRUCTURE or tag not in names):
            continue
        cleaned = clean_value(value)
        if cleaned is not None and tag in names:
            named[str(names[tag])] = cleaned
    return named


def _taken(base: Ifd, photo: Ifd) -> tuple[str | None, str | None]:
    for when, offset, fraction in TIMES:
        source = base if when == Base.DateTime else photo
        moment = _moment(_words(source.get(when)))
        if moment is None:
            continue
        digits = _words(photo.get(fraction))
        if re.fullmatch(r"\d{1,6}", digits, re.ASCII):
            moment = moment.replace(microsecond=int(digits.ljust(6, "0")))
        zone = _words(photo.get(offset))
        return moment.isoformat(), zone if OFFSET.fullmatch(zone) else None
    return None, None


def _moment(text: str) -> datetime | None:
    """A clock that was never set writes zeros or blanks; some programs write dashes for colons."""
    found = re.match(r"(\d{4})[:\-/.](\d\d)[:\-/.](\d\d)[ T](\d\d):(\d\d):(\d\d)", text, re.ASCII)
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat("{}-{}-{}T{}:{}:{}".format(*found.groups()))
    except ValueError:
        return None
    return moment if moment.year >= 1826 else None  # the year of the first photograph


def _camera(base: Ifd) -> str:
    make, model = _words(base.get(Base.Make)), _words(base.get(Base.Model))
    if not make or not model:
        return (make or model)[:200]
    same = model.split()[0].casefold() == make.split()[0].casefold()
    return (model if same else f"{make} {model}")[:200]


def _words(value: object) -> str:
    """Text of a tag that may be anything: UTF-16 (Windows), bytes, a number, a list."""
    if isinstance(value, tuple):  # Windows' tags are lists of bytes
        value = bytes(part if isinstance(part, int) and 0 <= part < 256 else 0 for part in value)
    if isinstance(value, bytes):
        text = value.decode("utf-16-le", "ignore") if b"\0" in value[:-2] else text_of(value)
    else:
        text = value if isinstance(value, str) else ""
    return clean_text(text)


def _description(base: Ifd) -> str:
    text = _words(base.get(Base.ImageDescription))
    return "" if EMPTY_WORDS.fullmatch(text) else text

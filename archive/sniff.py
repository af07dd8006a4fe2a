"""What a file is, told by its first bytes. Its name and what the browser claims never count."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

HEAD = 4096
"""How many bytes are worth reading; 64 are enough for every picture."""


@dataclass(frozen=True, slots=True)
class Kind:
    label: str
    extension: str


PICTURES: dict[str, Kind] = {
    "image/jpeg": Kind("JPEG", ".jpg"),
    "image/png": Kind("PNG", ".png"),
    "image/webp": Kind("WebP", ".webp"),
    "image/gif": Kind("GIF", ".gif"),
    "image/tiff": Kind("TIFF", ".tif"),
    "image/bmp": Kind("BMP", ".bmp"),
    "image/avif": Kind("AVIF", ".avif"),
    "image/heic": Kind("HEIC", ".heic"),
}

FILMS: dict[str, Kind] = {
    "video/mp4": Kind("MP4", ".mp4"),
    "video/quicktime": Kind("QuickTime", ".mov"),
    "video/webm": Kind("WebM", ".webm"),
    "video/x-matroska": Kind("Matroska", ".mkv"),
    "video/x-msvideo": Kind("AVI", ".avi"),
    "video/mp2t": Kind("MPEG transport stream", ".ts"),
    "video/mpeg": Kind("MPEG", ".mpg"),
}
"""Videos that the archive takes. An animated GIF or WebP is one too, though its type is a picture's."""

VIDEOS: dict[str, Kind] = FILMS | {
    "video/x-ms-wmv": Kind("Windows Media", ".wmv"),
    "video/x-flv": Kind("Flash video", ".flv"),
    "video/ogg": Kind("Ogg", ".ogv"),
}

OTHERS: dict[str, Kind] = {
    "image/svg+xml": Kind("SVG", ".svg"),
    "image/x-canon-cr2": Kind("Canon raw", ".cr2"),
    "image/x-canon-cr3": Kind("Canon raw", ".cr3"),
    "image/vnd.adobe.photoshop": Kind("Photoshop", ".psd"),
    "image/jxl": Kind("JPEG XL", ".jxl"),
    "image/jp2": Kind("JPEG 2000", ".jp2"),
    "image/x-icon": Kind("icon", ".ico"),
    "text/html": Kind("HTML", ".html"),
    "application/xml": Kind("XML", ".xml"),
    "application/pdf": Kind("PDF", ".pdf"),
    "application/zip": Kind("ZIP", ".zip"),
    "audio/mp4": Kind("MPEG-4 audio", ".m4a"),
    "audio/wav": Kind("WAV audio", ".wav"),
}

KINDS: dict[str, Kind] = PICTURES | VIDEOS | OTHERS

# Matched in this order. The formats below that need more than a prefix have a function instead.
PREFIXES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0\x10\0\0\0CR", "image/x-canon-cr2"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"II+\0", "image/tiff"),
    (b"MM\0+", "image/tiff"),
    (b"8BPS", "image/vnd.adobe.photoshop"),
    (b"\xff\x0a", "image/jxl"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "image/jxl"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "image/jp2"),
    (b"\0\0\1\0", "image/x-icon"),
    (b"%PDF-", "application/pdf"),
    (b"PK\3\4", "application/zip"),
    (b"OggS", "video/ogg"),
    (b"FLV\1", "video/x-flv"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-wmv"),
    (b"\0\0\1\xba", "video/mpeg"),
    (b"\0\0\1\xb3", "video/mpeg"),
)

RIFF_FORMS = {b"WEBP": "image/webp", b"AVI ": "video/x-msvideo", b"WAVE": "audio/wav"}
QUICKTIME_ATOMS = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
GENERIC_BRANDS = {b"mif1", b"msf1"}
AVIF_BRANDS = {b"avif", b"avis"}
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
BRANDS: dict[bytes, str] = {
    **dict.fromkeys(AVIF_BRANDS, "image/avif"),
    **dict.fromkeys(HEIC_BRANDS, "image/heic"),
    b"qt  ": "video/quicktime",
    b"crx ": "image/x-canon-cr3",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
}
BMP_HEADER_SIZES = {12, 16, 40, 52, 56, 64, 108, 124}


class UnsupportedMedia(Exception):
    """A file of a kind that is not taken in this place. `media_type` is None where nobody knows it."""

    def __init__(self, media_type: str | None, *, empty: bool = False, films: bool = True) -> None:
        self.media_type = media_type
        self.empty = empty
        self.films = films
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        if self.empty:
            return "This file is empty. Upload it again from the source."
        if self.media_type in VIDEOS:
            label = VIDEOS[self.media_type].label
            if not self.films:
                return f"This is a video ({label}), and a picture is asked for. {self._accepted()}"
            return f"Videos of this kind ({label}) are not accepted. Convert it to MP4. {self._accepted()}"
        if self.media_type in OTHERS:
            return f"{OTHERS[self.media_type].label} files are not accepted. {self._accepted()}"
        what = "a picture or a video" if self.films else "a picture"
        return f"This is not {what} of a known kind, whatever its name says. {self._accepted()}"

    def _accepted(self) -> str:
        pictures = [kind.label for kind in PICTURES.values()]
        if not self.films:
            return f"Upload {', '.join(pictures[:-1])} or {pictures[-1]} pictures."
        films = [kind.label for kind in FILMS.values()]
        return f"Upload {', '.join(pictures)} pictures, or {', '.join(films[:-1])} or {films[-1]} videos."


def sniff(head: bytes) -> str | None:
    """The media type of a file that begins with `head` (its first 64 to `HEAD` bytes), or None.

    Types that are refused have names too, so that the refusal can say what the file is.
    """
    for prefix, media_type in PREFIXES:
        if head.startswith(prefix):
            return media_type
    return next((found for look in LOOKS if (found := look(head))), None)


def sniff_picture(head: bytes) -> str:
    """As `sniff`, for a place that takes pictures only: raises UnsupportedMedia for everything else."""
    media_type = sniff(head)
    if media_type not in PICTURES:
        raise UnsupportedMedia(media_type, empty=not head, films=False)
    return media_type


def sniff_media(head: bytes) -> str:
    """As `sniff`, for a place that takes pictures and videos: raises UnsupportedMedia for everything else."""
    media_type = sniff(head)
    if media_type is None or (media_type not in PICTURES and media_type not in FILMS):
        raise UnsupportedMedia(media_type, empty=not head)
    return media_type


def _riff(head: bytes) -> str | None:
    return RIFF_FORMS.get(head[8:12]) if head.startswith(b"RIFF") else None


def _bmp(head: bytes) -> str | None:
    # Two letters are too little evidence, so the size of the second header has to be one that exists.
    return "image/bmp" if head[:2] == b"BM" and _number(head[14:18]) in BMP_HEADER_SIZES else None


def _number(field: bytes) -> int:
    return int.from_bytes(field, "little") if len(field) == 4 else -1


def _iso_media(head: bytes) -> str | None:
    """ISO base media: the brand decides, and for the generic `mif1` the compatible brands do."""
    if head[4:8] != b"ftyp" or len(head) < 12:
        return "video/quicktime" if head[4:8] in QUICKTIME_ATOMS else None
    major = head[8:12]
    box_end = min(max(int.from_bytes(head[:4], "big"), 16), len(head))
    compatible = {head[at : at + 4] for at in range(16, box_end, 4)}
    if major in GENERIC_BRANDS:
        return "image/avif" if compatible & AVIF_BRANDS else "image/heic"
    return BRANDS.get(major, "video/mp4")


def _ebml(head: bytes) -> str | None:
    if not head.startswith(b"\x1a\x45\xdf\xa3"):
        return None
    return "video/webm" if b"webm" in head[:64] else "video/x-matroska"


def _transport_stream(head: bytes) -> str | None:
    """Packets of 188 bytes that each begin with 0x47; in cameras' .mts four bytes of time come before."""
    for start, packet in ((0, 188), (4, 192)):
        marks = head[start::packet]
        if len(marks) >= 3 and set(marks) == {0x47}:
            return "video/mp2t"
    return None


def _markup(head: bytes) -> str | None:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not text.startswith(b"<"):
        return None
    if b"<svg" in text:
        return "image/svg+xml"
    if re.search(rb"<(!doctype html|html|head|body|script)\b", text):
        return "text/html"
    return "application/xml"


Look = Callable[[bytes], str | None]
LOOKS: tuple[Look, ...] = (_riff, _bmp, _iso_media, _ebml, _transport_stream, _markup)

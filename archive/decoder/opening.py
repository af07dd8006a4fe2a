"""From a file to a Pillow picture whose size is known to be bearable and whose pixels are not yet read."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

import pi_heif
from PIL import AvifImagePlugin, Image, ImageFile
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from archive.decoder.refusals import camera_raw, too_many_pixels, truncated
from archive.sniff import HEAD, sniff_picture

# One parser for each type, and only the one that fits the content is ever tried. JPEG goes to its own class
# and not through `Image.open`, which would turn the multi-picture files of telephones into MPO.
PARSERS: dict[str, Callable[[IO[bytes]], ImageFile.ImageFile]] = {
    "image/jpeg": JpegImageFile,
    "image/png": PngImageFile,
    "image/webp": WebPImageFile,
    "image/gif": GifImageFile,
    "image/tiff": TiffImageFile,
    "image/bmp": BmpImageFile,
    "image/avif": AvifImageFile,
    "image/heic": pi_heif.HeifImageFile,
}

SUBFILE_TYPE, SUB_IFDS, DNG_VERSION = 254, 330, 50706
REDUCED_RESOLUTION = 1


def use_one_thread() -> None:
    """Pictures are decoded side by side in several processes; and of a HEIC only the picture is wanted."""
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    pi_heif.options.DECODE_THREADS = 1
    pi_heif.options.THUMBNAILS = pi_heif.options.DEPTH_IMAGES = pi_heif.options.AUX_IMAGES = False


@contextmanager
def guarded(max_pixels: int) -> Iterator[list[warnings.WarningMessage]]:
    """Pillow with our limits; what it warns about is collected, and a bomb is an error."""
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield heard
    finally:
        Image.MAX_IMAGE_PIXELS = before


def media_type_of(file: IO[bytes]) -> str:
    """Raises UnsupportedMedia."""
    media_type = sniff_picture(file.read(HEAD))
    file.seek(0)
    return media_type


def open_picture(file: IO[bytes], media_type: str, max_pixels: int) -> ImageFile.ImageFile:
    """The picture, header read only.

    Raises Undecodable for too many pixels, and whatever Pillow raises for a broken header.
    """
    if media_type == "image/webp":
        _refuse_cut_webp(file)
    picture = PARSERS[media_type](file)
    refuse_huge(picture, max_pixels)
    if isinstance(picture, TiffImageFile):
        _refuse_raw(picture)
    return picture


def refuse_huge(picture: Image.Image, max_pixels: int) -> None:
    width, height = picture.size
    if width * height > max_pixels:
        raise too_many_pixels(width, height, max_pixels)


def _refuse_cut_webp(file: IO[bytes]) -> None:
    """Its reader cannot say what is wrong, but the file says how long it should be."""
    said = 8 + int.from_bytes(file.read(8)[4:], "little")
    if file.seek(0, os.SEEK_END) < said:
        raise truncated("WebP")
    file.seek(0)


def _refuse_raw(picture: TiffImageFile) -> None:
    """Raw files are TIFFs whose first picture is a preview: keeping that one would be a silent loss."""
    tags = picture.tag_v2
    reduced = tags.get(SUBFILE_TYPE) == REDUCED_RESOLUTION and SUB_IFDS in tags
    if DNG_VERSION in tags or reduced:
        raise camera_raw()

"""Whatever a file calls a pixel becomes 8-bit sRGB, on white where it is transparent."""

from __future__ import annotations

import math
from functools import lru_cache
from io import BytesIO

from PIL import Image, ImageChops, ImageCms
from PIL.TiffImagePlugin import TiffImageFile

MAX_PROFILE = 8 * 1024 * 1024
PHOTOMETRIC, WHITE_IS_ZERO = 262, 0

# Modes that can be resized as they are; colour comes after that, when there are fewer pixels.
PLAIN_MODES = {"L", "RGB", "CMYK", "LAB"}
TRANSPARENT_MODES = {"RGBA", "LA", "PA", "La", "RGBa"}
PROFILE_SPACES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}


def to_plain(picture: Image.Image, notes: list[str]) -> Image.Image:
    """The picture in one of PLAIN_MODES: 8 bits a channel, no palette, no transparency."""
    if picture.mode in PLAIN_MODES and not picture.has_transparency_data:
        return picture
    if picture.mode in {"I", "F"} or picture.mode.startswith("I;16"):
        return _deep_grey_to_8_bits(picture, notes)
    if picture.mode in TRANSPARENT_MODES or picture.has_transparency_data:
        return _on_white(picture.convert("RGBA"))
    return picture.convert("L" if picture.mode == "1" else "RGB")


def to_srgb(picture: Image.Image, profile: bytes | None, notes: list[str]) -> Image.Image:
    """A picture in a plain mode, read by its ICC profile if that is any good, as sRGB in mode RGB."""
    if profile:
        try:
            return _by_profile(picture, profile)
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as problem:
            notes.append(f"Its colour profile was ignored: {problem}.")
    if picture.mode == "LAB":
        return _transform_of_lab().apply(picture)
    return picture.convert("RGB")


def _on_white(picture: Image.Image) -> Image.Image:
    white = Image.new("RGB", picture.size, "white")
    white.paste(picture, mask=picture)
    return white


def _deep_grey_to_8_bits(picture: Image.Image, notes: list[str]) -> Image.Image:
    """Pillow's own conversion cuts everything above 255 to white, so the range is scaled first."""
    inverted = isinstance(picture, TiffImageFile) and picture.tag_v2.get(PHOTOMETRIC) == WHITE_IS_ZERO
    wide = picture if picture.mode == "F" else picture.convert("I")
    black, white = _range_of(wide, notes)
    scale = 255 / (white - black)
    grey = wide.convert("F").point(lambda value: value * scale + (0.5 - black * scale)).convert("L")
    return ImageChops.invert(grey) if inverted else grey


def _range_of(picture: Image.Image, notes: list[str]) -> tuple[float, float]:
    """The values that mean black and white: the usual ranges where the data fits one, else its own."""
    low, high = (float(value) for value in picture.getextrema())  # type: ignore[arg-type]
    if not (math.isfinite(low) and math.isfinite(high)):
        notes.append("Some of its values are not numbers; it was read as if white were 1.")
        return 0.0, 1.0
    # 16-bit files often hold the 10 or 12 bits of a sensor: against 65535 those would all be black.
    usual = (1.0, 255.0) if picture.mode == "F" else (255.0, 1023.0, 4095.0, 65535.0)
    for white in usual:
        if low >= 0 and high <= white:
            return 0.0, white
    notes.append(f"Its values run from {low:g} to {high:g}; they were scaled to black and white.")
    return (low, high) if high > low else (low, low + 1)


def _by_profile(picture: Image.Image, data: bytes) -> Image.Image:
    if len(data) > MAX_PROFILE:
        raise ValueError("it is too large")
    profile = _profile(data)
    space = profile.profile.xcolor_space.strip()
    mode = PROFILE_SPACES.get(space)
    if mode is None or (mode == "CMYK") != (picture.mode == "CMYK") or picture.mode == "LAB":
        raise ValueError(f"it is for {space} and the picture is {picture.mode}")
    if picture.mode != mode:
        picture = picture.convert(mode)
    if mode == "RGB" and (profile.profile.profile_description or "").startswith("sRGB"):
        return picture
    return _transform(data, mode).apply(picture)


@lru_cache(maxsize=4)
def _profile(data: bytes) -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(BytesIO(data))


@lru_cache(maxsize=4)
def _transform(data: bytes, mode: str) -> ImageCms.ImageCmsTransform:
    srgb = ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(_profile(data), srgb, mode, "RGB")


@lru_cache(maxsize=1)
def _transform_of_lab() -> ImageCms.ImageCmsTransform:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(lab, srgb, "LAB", "RGB")

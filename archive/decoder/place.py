"""Where a picture was taken, from its GPS tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PIL.ExifTags import GPS

from archive.decoder.clean import number_of, text_of

VOID = "V"


def place_of(gps: Mapping[int, Any]) -> tuple[float | None, float | None]:
    """Degrees, north and east positive; two Nones if either of them is not believable."""
    if _letter(gps.get(GPS.GPSStatus)) == VOID:
        return None, None
    latitude = _degrees(gps.get(GPS.GPSLatitude), gps.get(GPS.GPSLatitudeRef), "N", "S", 90)
    longitude = _degrees(gps.get(GPS.GPSLongitude), gps.get(GPS.GPSLongitudeRef), "E", "W", 180)
    # Zero and zero is a spot in the sea off Africa: in practice, a receiver without a fix.
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        return None, None
    return latitude, longitude


def _degrees(value: object, side: object, plus: str, minus: str, limit: int) -> float | None:
    parts = value if isinstance(value, tuple | list) else (value,)
    numbers = [number_of(part) for part in parts]
    letter = _letter(side)
    if not 1 <= len(numbers) <= 3 or letter not in (plus, minus):
        return None
    total = 0.0
    for number, share in zip(numbers, (1, 60, 3600), strict=False):
        if number is None or number < 0:
            return None
        total += number / share
    if total > limit:
        return None
    return round(total if letter == plus else -total, 7)


def _letter(value: object) -> str:
    text = text_of(value) if isinstance(value, bytes) else value if isinstance(value, str) else ""
    return text.strip("\0 ")[:1].upper()

"""What a file says of itself, written onto its asset."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo

from django.utils.timezone import get_default_timezone

from archive.decoder.decoded import Decoded
from archive.models import Asset

LAST_YEAR = 9999


def write_facts(asset: Asset, decoded: Decoded) -> None:
    """What the picture says of itself; what a person wrote stays."""
    asset.media_type = decoded.media_type
    asset.width, asset.height = decoded.width, decoded.height
    asset.taken_at = asset.taken_at or taken_at(decoded)
    if asset.latitude is None:
        asset.latitude, asset.longitude = decoded.latitude, decoded.longitude
    asset.camera = decoded.camera[:120]
    asset.title = asset.title or decoded.title[:300]
    asset.caption = asset.caption or decoded.caption
    asset.exif = decoded.exif
    asset.notes = list(decoded.notes)
    asset.save(
        update_fields=[
            "media_type",
            "width",
            "height",
            "taken_at",
            "latitude",
            "longitude",
            "camera",
            "title",
            "caption",
            "exif",
            "notes",
        ]
    )


def taken_at(decoded: Decoded) -> datetime | None:
    """The moment on the camera's clock; where it names no zone, the archive's own is assumed."""
    if not decoded.taken_at:
        return None
    zone: tzinfo = get_default_timezone()
    if decoded.taken_offset:
        sign = -1 if decoded.taken_offset[0] == "-" else 1
        hours, minutes = decoded.taken_offset[1:].split(":")
        zone = timezone(sign * timedelta(hours=int(hours), minutes=int(minutes)))
    try:
        moment = datetime.fromisoformat(decoded.taken_at).replace(tzinfo=zone)
    except (ValueError, OverflowError):
        return None
    # In another zone the last days of the calendar lie behind its end: Postgres keeps them, Python cannot
    # read them back, and every list with that row would fail.
    return moment if moment.year < LAST_YEAR else None

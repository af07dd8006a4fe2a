"""The picture of a stored asset, or of a second of a video, on which a box was drawn."""

from __future__ import annotations

from django.core.files.storage import default_storage
from django.db.models import F
from django.db.models.functions import Abs

from archive.models import Asset, Frame, Kind, Rendition
from archive.storage import StoreAway
from archive.video.packs import PackMissing, read_frames

READ_BY_MODEL = "encoder"  # the rendition
SHOWN_OF_FILM = "preview"  # its poster


def picture_of(asset: Asset, at: float | None = None) -> bytes | None:
    """JPEG or WebP; None while there is none. Of a video its frame nearest to second `at`, or else its poster."""
    if asset.kind != Kind.VIDEO:
        return _rendition(asset, READ_BY_MODEL)
    return _rendition(asset, SHOWN_OF_FILM) if at is None else _frame(asset, at)


def _rendition(asset: Asset, spec: str) -> bytes | None:
    rendition = Rendition.objects.filter(asset=asset, spec=spec).first()
    try:
        return rendition.read() if rendition else None
    except OSError:
        return None


def _frame(asset: Asset, at: float) -> bytes | None:
    """From its pack; where that is lost, the still of the moment that is nearest."""
    near = Frame.objects.filter(asset=asset).order_by(Abs(F("at") - at), "at")
    frame = near.first()
    if frame is None:
        return None
    at_ms = round(frame.at * 1000)
    try:
        return read_frames(asset.pk, [at_ms])[at_ms]
    except PackMissing:
        moment = near.exclude(still="").first()
    except StoreAway:
        return None
    return _still(moment.still) if moment else None


def _still(key: str) -> bytes | None:
    try:
        with default_storage.open(key) as file:
            data: bytes = file.read()
    except OSError:
        return None
    return data

"""Pictures of what is in quarantine, for those who review it: blurred on the server, so that what is not to be seen
is not sent either."""

from __future__ import annotations

import io
from dataclasses import dataclass

from django.core.files.storage import default_storage
from PIL import Image, ImageFilter

from archive.models import Flag, Frame
from archive.video.packs import PackMissing, read_frames

LONGEST = 24  # pixels: enough for where light and dark are, too few for what it is
SHOWN_AT = 480


@dataclass(frozen=True)
class Picture:
    """The bytes of one of our own renditions, made by the confined decoder."""

    data: bytes
    media_type: str


def find_picture(flag: Flag, frame: int | None, *, large: bool) -> Picture | None:
    """Of the asset of a flag, or of one of its moments. Raises `FileNotFoundError`."""
    if frame is not None:
        return _find_moment(flag, frame)
    made = dict(flag.asset.renditions.filter(spec__in=("thumbnail", "preview")).values_list("spec", "key"))
    return _read(made.get("preview" if large else "thumbnail") or made.get("thumbnail") or made.get("preview") or "")


def _find_moment(flag: Flag, frame: int) -> Picture | None:
    """Only the frames that a shot begins with have stills; a moment is named by its worst one, which the pack has.
    Where that is gone, the still of its shot."""
    if frame not in {moment.get("frame") for moment in flag.moments}:
        return None
    frames = Frame.objects.filter(asset=flag.asset_id)
    found = frames.filter(pk=frame).first()
    if found is None:
        return None
    if found.still:
        return _read(found.still)
    at_ms = round(found.at * 1000)
    try:
        return Picture(read_frames(flag.asset_id, [at_ms])[at_ms], "image/jpeg")
    except PackMissing:
        shot = frames.filter(at__lte=found.at).exclude(still="").order_by("-at").first()
        return _read(shot.still) if shot else None


def _read(key: str) -> Picture | None:
    if not key:
        return None
    with default_storage.open(key) as file:
        return Picture(file.read(), "image/webp")


def blurred(clear: Picture) -> bytes:
    """WebP."""
    picture = Image.open(io.BytesIO(clear.data)).convert("RGB")
    wide = max(picture.size)
    small = picture.resize(
        (max(1, picture.width * LONGEST // wide), max(1, picture.height * LONGEST // wide)), Image.Resampling.BOX
    )
    shown = (max(1, picture.width * SHOWN_AT // wide), max(1, picture.height * SHOWN_AT // wide))
    out = io.BytesIO()
    small.resize(shown, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(SHOWN_AT / LONGEST / 2)).save(
        out, "WEBP", quality=40
    )
    return out.getvalue()

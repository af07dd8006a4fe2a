"""Pictures of what is in quarantine, for those who review it: blurred on the server, so that what is not to be seen
is not sent either."""

from __future__ import annotations

import io

from django.core.files.storage import default_storage
from PIL import Image, ImageFilter

from archive.models import Flag, Frame

LONGEST = 24  # pixels: enough for where light and dark are, too few for what it is
SHOWN_AT = 480


def find_key(flag: Flag, frame: int | None, *, large: bool) -> str | None:
    """Where the picture of a flag lies: of its asset, or the still of one of its moments."""
    if frame is not None:
        named = {moment.get("frame") for moment in flag.moments}
        still = Frame.objects.filter(pk=frame, asset=flag.asset_id).values_list("still", flat=True).first()
        return still or None if frame in named else None
    made = dict(flag.asset.renditions.filter(spec__in=("thumbnail", "preview")).values_list("spec", "key"))
    return made.get("preview" if large else "thumbnail") or made.get("thumbnail") or made.get("preview")


def blurred(key: str) -> bytes:
    """WebP. The file is one of our own renditions, made by the confined decoder."""
    with default_storage.open(key) as file:
        picture = Image.open(io.BytesIO(file.read())).convert("RGB")
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

"""Stills: what a moment looks like, as a small WebP."""

from __future__ import annotations

import io

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from archive.decoder.specs import RECIPE_VERSION, THUMBNAIL

MEDIA_TYPE = "image/webp"


def write_still(sha256: str, at_ms: int, jpeg: bytes) -> str:
    """From a frame of a pack; returns its key."""
    picture = Image.open(io.BytesIO(jpeg), formats=["JPEG"])
    picture.thumbnail((THUMBNAIL.longest, THUMBNAIL.longest))
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=THUMBNAIL.quality, method=THUMBNAIL.effort)
    key = f"renditions/{RECIPE_VERSION}/{sha256[:2]}/{sha256[2:4]}/{sha256}.still-{at_ms}.webp"
    return default_storage.save(key, ContentFile(out.getvalue()))

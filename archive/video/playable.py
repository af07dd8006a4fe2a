"""What a browser plays of a video: the original where it can, or a rendition that was made for it."""

from __future__ import annotations

from archive.models import Asset

PLAYED = ("video/mp4", "video/webm")


def playable_key(asset: Asset) -> tuple[str, str] | None:
    """The key in the storage and its media type; None until there is something to play."""
    made = asset.renditions.filter(spec="playable").first()
    if made is not None:
        return made.key, made.media_type
    return (asset.original, asset.media_type) if asset.media_type in PLAYED else None

"""What a browser is given to play: the original where it can, else a rendition in H.264 and AAC."""

from __future__ import annotations

from archive.models import Asset, Kind

SPEC = "playable"
MEDIA_TYPE = "video/mp4"
# What the browsers of today have in common. Matroska files that hold only what WebM may are played by some; H.264
# needs eight bits and 4:2:0.
PLAYED = {
    "video/mp4": ({"h264", "av1", "vp9"}, {"aac", "mp3", "opus", ""}),
    "video/quicktime": ({"h264"}, {"aac", "mp3", ""}),
    "video/webm": ({"vp8", "vp9", "av1"}, {"vorbis", "opus", ""}),
}
DEPTHS = {"yuv420p", "yuvj420p"}


def plays_as_it_is(asset: Asset) -> bool:
    """By its container and codecs, as the decoder found them."""
    if asset.kind != Kind.VIDEO:
        return False
    pictures, sounds = PLAYED.get(asset.media_type, (set(), set()))
    facts = asset.exif
    depth = facts.get("PixelFormat") in DEPTHS or facts.get("VideoCodec") in ("vp9", "av1")
    return facts.get("VideoCodec") in pictures and facts.get("AudioCodec", "") in sounds and depth


def playable_key(asset: Asset) -> tuple[str, str] | None:
    """The key in the storage and the media type; None where a rendition is needed and not there (yet)."""
    if plays_as_it_is(asset):
        # Chrome plays QuickTime files only when they are called MP4, which they are but for the name.
        known_as = MEDIA_TYPE if asset.media_type == "video/quicktime" else asset.media_type
        return asset.original, known_as
    made = asset.renditions.filter(spec=SPEC).first()
    return (made.key, made.media_type) if made else None

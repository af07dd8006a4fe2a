"""What a browser is given to play: the original where it can, else a rendition in H.264 and AAC."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from archive.decoder.specs import PLAYABLE, RECIPE_VERSION
from archive.models import Asset, Kind, Rendition, Step, Work, WorkState
from archive.video.joining import TICKS, Joined, Part, first_time, header_length
from archive.video.packs import digest_of

SPEC = "playable"
PIECE = "play-"
MEDIA_TYPE = "video/mp4"
# What the browsers of today have in common. Matroska files that hold only what WebM may are played by some; H.264
# needs eight bits and 4:2:0.
PLAYED = {
    "video/mp4": ({"h264", "av1", "vp9"}, {"aac", "mp3", "opus", ""}),
    "video/quicktime": ({"h264"}, {"aac", "mp3", ""}),
    "video/webm": ({"vp8", "vp9", "av1"}, {"vorbis", "opus", ""}),
}
DEPTHS = {"yuv420p", "yuvj420p"}
TRIED = (WorkState.QUARANTINED, WorkState.CANCELLED)


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


def is_given_up(asset: Asset) -> bool:
    """Of a video without `playable_key`, whether nobody will make one: it was tried in vain, a curator skipped it, or
    there is nothing to make it of."""
    return Work.objects.filter(asset=asset, step=Step.PLAY, state__in=(WorkState.DONE, *TRIED)).exists()


def may_be_made_again(asset: Asset) -> bool:
    """Whether what a browser could play is missing, and another try may make it."""
    if asset.kind != Kind.VIDEO or playable_key(asset) is not None:
        return False
    return Work.objects.filter(asset=asset, step=Step.PLAY, state__in=TRIED).exists()


def keep_piece(asset: Asset, first_ms: int, data: bytes) -> Rendition:
    """Write a piece; returns its row, not yet saved.

    It has no sides to note: `width` is how many ticks behind `first_ms` it begins, `height` the length of its header.
    """
    # Pieces are deleted when they have served: of the same film in another collection nobody may delete those.
    name = f"{PIECE}{asset.uuid}-{first_ms}-{digest_of(data)}.part"
    key = default_storage.save(_key(asset, name), ContentFile(data))
    behind = max(0, first_time(data) - first_ms * TICKS // 1000)
    row = {"media_type": MEDIA_TYPE, "width": behind, "height": header_length(data), "size": len(data)}
    return Rendition(asset=asset, spec=f"{PIECE}{first_ms}", key=key, **row)


def pieces_of(asset: Asset) -> list[Rendition]:
    rows = Rendition.objects.filter(asset=asset, spec__startswith=PIECE)
    return sorted(rows, key=_first_ms)


def forget_pieces(pieces: Iterable[Rendition]) -> None:
    """Their rows at once, their files when the caller's transaction is through."""
    pieces = list(pieces)
    Rendition.objects.filter(pk__in=[piece.pk for piece in pieces]).delete()
    for piece in pieces:
        transaction.on_commit(partial(_delete_unnamed, piece.key))


def join_pieces(asset: Asset) -> list[Rendition]:
    """Write the film of all pieces; returns its row, not yet saved. None where nothing was made."""
    rows = pieces_of(asset)
    if not rows:
        return []
    parts = [Part(row.key, _first_ms(row) * TICKS // 1000 + row.width, row.height, row.size) for row in rows]
    film = Joined(parts, round((asset.duration or 0) * TICKS), SPEC)
    # Where pieces meet depends on how fast the machine was, and the size that a row names on where they meet.
    key = default_storage.save(_key(asset, f"{SPEC}-{film.digest}.mp4"), film)
    width, height = (side // 2 * 2 for side in PLAYABLE.size_for(asset.width or 2, asset.height or 2))
    made = {"media_type": MEDIA_TYPE, "width": max(2, width), "height": max(2, height), "size": film.written}
    return [Rendition(asset=asset, spec=SPEC, key=key, **made)]


def _delete_unnamed(key: str) -> None:
    if not Rendition.objects.filter(key=key).exists():
        default_storage.delete(key)


def _first_ms(row: Rendition) -> int:
    return int(row.spec.removeprefix(PIECE))


def _key(asset: Asset, name: str) -> str:
    sha256 = asset.sha256
    return f"renditions/{RECIPE_VERSION}/{sha256[:2]}/{sha256[2:4]}/{sha256}.{name}"

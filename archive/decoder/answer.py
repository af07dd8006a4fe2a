"""The child's answer, believed in nothing: whoever takes over the child must not get further by its words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from archive.decoder.clean import OFFSET, cap, clean_text, clean_value
from archive.decoder.decoded import Decoded, Piece, Rendition, Stretch
from archive.decoder.keywords import LONGEST, MOST
from archive.decoder.refusals import CODES, DecoderTimedOut, StoreFailed, Undecodable
from archive.decoder.specs import Spec
from archive.decoder.wire import Garbled
from archive.sniff import FILMS, PICTURES, sniff

MAX_SIDE = 100_000_000
MAX_SECONDS = 365 * 24 * 3600.0
MAX_MS = int(MAX_SECONDS * 1000)
KINDS = PICTURES | FILMS


def read_answer(message: dict[str, Any], blobs: Sequence[bytes], specs: Sequence[Spec]) -> Decoded:
    """Raises Undecodable where the child refused the file, Garbled where the answer is no answer."""
    _raise_refusal(message)
    try:
        return _decoded(message["decoded"], _renditions(message["renditions"], blobs, specs))
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise Garbled("an answer of another shape") from problem


def read_frames(message: dict[str, Any], blobs: Sequence[bytes]) -> Stretch:
    """As `read_answer`, for a stretch of a film."""
    _raise_refusal(message)
    try:
        times, reached = message["frames"], message["reached_ms"]
        _require(len(times) == len(blobs) and isinstance(message["ended"], bool))
        _require(all(isinstance(at, int) and 0 <= at < MAX_MS for at in [*times, reached]))
        _require(all(before < after for before, after in pairwise(times)))
        _require(all(sniff(blob) == "image/jpeg" for blob in blobs))
        notes = tuple(clean_text(note, 300) for note in message["notes"])
        return Stretch(list(zip(times, blobs, strict=True)), reached, message["ended"], notes)
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise Garbled("an answer of another shape") from problem


def read_piece(message: dict[str, Any], blobs: Sequence[bytes]) -> Piece:
    """As `read_answer`, for a stretch of a film as browsers play it."""
    _raise_refusal(message)
    try:
        reached, ended = message["reached_ms"], message["ended"]
        _require(isinstance(reached, int) and 0 <= reached < MAX_MS and isinstance(ended, bool) and len(blobs) == 1)
        _require(not blobs[0] or sniff(blobs[0]) == "video/mp4")
        return Piece(blobs[0], reached, ended)
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise Garbled("an answer of another shape") from problem


def _raise_refusal(message: dict[str, Any]) -> None:
    if "refused" in message:
        if message.get("code") not in CODES:
            raise Garbled("a refusal of an unknown kind")
        reason, detail = (clean_text(str(message.get(key, ""))) for key in ("refused", "detail"))
        raise Undecodable(reason, message["code"], detail)
    if "unreadable" in message:
        raise StoreFailed(clean_text(str(message["unreadable"]), 200))
    if "late" in message:
        raise DecoderTimedOut(_late(message["late"]))


def _late(seconds: object) -> float:
    if not isinstance(seconds, int | float) or not 0 <= seconds < MAX_SECONDS:
        raise Garbled("a time that cannot be")
    return float(seconds)


def _decoded(facts: dict[str, Any], renditions: dict[str, Rendition]) -> Decoded:
    media_type = facts["media_type"]
    _require(media_type in KINDS)
    _require(all(isinstance(facts[side], int) and 0 < facts[side] < MAX_SIDE for side in ("width", "height")))
    return Decoded(
        taken_at=_date(facts["taken_at"]),
        taken_offset=_offset(facts["taken_offset"]),
        latitude=_degrees(facts["latitude"], 90),
        longitude=_degrees(facts["longitude"], 180),
        camera=clean_text(facts["camera"]),
        title=clean_text(facts["title"]),
        caption=clean_text(facts["caption"]),
        keywords=tuple(clean_text(word, LONGEST) for word in facts["keywords"][:MOST]),
        exif=_exif(facts["exif"]),
        format=KINDS[media_type].label,
        media_type=media_type,
        width=facts["width"],
        height=facts["height"],
        notes=tuple(clean_text(note, 300) for note in facts["notes"]),
        renditions=renditions,
        duration=_seconds(facts["duration"]),
    )


def _seconds(value: float | None) -> float | None:
    if value is not None:
        _require(0 <= value < MAX_SECONDS)
    return value


def _exif(tags: dict[str, Any]) -> dict[str, Any]:
    cleaned = {clean_text(name): clean_value(value) for name, value in tags.items()}
    return cap({name: value for name, value in cleaned.items() if value is not None})


def _date(text: str | None) -> str | None:
    if text is not None:
        _require(datetime.fromisoformat(text).tzinfo is None)
    return text


def _offset(text: str | None) -> str | None:
    if text is not None:
        _require(OFFSET.fullmatch(text) is not None)
    return text


def _degrees(value: float | None, limit: int) -> float | None:
    if value is not None:
        _require(abs(value) <= limit)
    return value


def _renditions(
    sizes: dict[str, dict[str, Any]], blobs: Sequence[bytes], specs: Sequence[Spec]
) -> dict[str, Rendition]:
    by_name = {spec.name: spec for spec in specs}
    _require(set(sizes) == set(by_name) and len(sizes) == len(blobs))
    made = {name: Rendition(data, **size) for (name, size), data in zip(sizes.items(), blobs, strict=True)}
    for name, rendition in made.items():
        _require(rendition.media_type == by_name[name].media_type == sniff(rendition.data))
        _require(all(isinstance(side, int) and side > 0 for side in (rendition.width, rendition.height)))
    return {spec.name: made[spec.name] for spec in specs}


def _require(holds: bool) -> None:
    if not holds:
        raise Garbled("a value that cannot be")

"""The child's answer, believed in nothing: whoever takes over the child must not get further by its words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archive.decoder.clean import clean_text
from archive.decoder.decoded import Decoded, Rendition
from archive.decoder.refusals import CODES, Undecodable
from archive.decoder.specs import Spec
from archive.decoder.wire import Garbled
from archive.sniff import PICTURES, sniff

TEXTS = ("camera", "title", "caption")
OPTIONAL: dict[str, type] = {"taken_at": str, "taken_offset": str, "latitude": float, "longitude": float}


def read_answer(message: dict[str, Any], blobs: Sequence[bytes], specs: Sequence[Spec]) -> Decoded:
    """Raises Undecodable where the child refused the file, Garbled where the answer is no answer."""
    if "refused" in message:
        if message.get("code") not in CODES:
            raise Garbled("a refusal of an unknown kind")
        reason, detail = (clean_text(str(message.get(key, ""))) for key in ("refused", "detail"))
        raise Undecodable(reason, message["code"], detail)
    try:
        return _decoded(message["decoded"], _renditions(message["renditions"], blobs, specs))
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise Garbled("an answer of another shape") from problem


def _decoded(facts: dict[str, Any], renditions: dict[str, Rendition]) -> Decoded:
    for name in TEXTS:
        _require(isinstance(facts[name], str) and facts[name] == clean_text(facts[name]))
    for name, kind in OPTIONAL.items():
        _require(facts[name] is None or isinstance(facts[name], kind))
    _require(facts["media_type"] in PICTURES and isinstance(facts["exif"], dict))
    _require(all(isinstance(facts[side], int) and facts[side] > 0 for side in ("width", "height")))
    notes = tuple(clean_text(str(note), 300) for note in facts.pop("notes"))
    return Decoded(**facts, notes=notes, renditions=renditions)


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

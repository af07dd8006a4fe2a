"""The ladder of renditions: each is made from the next larger one, and none carries metadata."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from PIL import Image, ImageFile
from PIL.Image import Resampling

from archive.decoder.decoded import Rendition
from archive.decoder.specs import Spec

# A JPEG can be read at a half, a quarter or an eighth for a fraction of the work. That is worth a preview
# that is up to a tenth smaller than asked for: 4032 x 3024, the commonest size of all, then comes at a half.
DRAFT_SLACK = 0.9
REDUCING_GAP = 2.0


def ask_for_draft(picture: ImageFile.ImageFile, specs: Sequence[Spec]) -> None:
    """Let a JPEG be read at a fraction of its size; every other format ignores this."""
    width, height = _largest(picture.size, specs)
    if (width, height) != picture.size:
        picture.draft(None, (max(1, int(width * DRAFT_SLACK)), max(1, int(height * DRAFT_SLACK))))


def shrink(picture: Image.Image, specs: Sequence[Spec]) -> Image.Image:
    """The picture at the size of the largest rendition."""
    return _resize(picture, _largest(picture.size, specs))


def renditions_of(picture: Image.Image, specs: Sequence[Spec]) -> dict[str, Rendition]:
    """By name. Of a small original, several are of one size and type: those share one encoding."""
    made: dict[str, Rendition] = {}
    shared: dict[tuple[tuple[int, int], str], Rendition] = {}
    # All sizes follow from the first picture: rounding must not add up along the ladder.
    sizes = {spec: spec.size_for(*picture.size) for spec in specs}
    # Best quality first among equal sizes, so that the shared one is the better.
    for spec in sorted(specs, key=lambda spec: (sizes[spec][0] * sizes[spec][1], spec.quality), reverse=True):
        picture = _smaller(picture, sizes[spec])
        key = (picture.size, spec.media_type)
        if key not in shared:
            shared[key] = Rendition(_encode(picture, spec), *picture.size, spec.media_type)
        made[spec.name] = shared[key]
    return {spec.name: made[spec.name] for spec in specs}


def _smaller(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """On thin strips rounding can ask for one pixel more than the step before has left: never enlarge."""
    return _resize(picture, (min(size[0], picture.width), min(size[1], picture.height)))


def _largest(size: tuple[int, int], specs: Sequence[Spec]) -> tuple[int, int]:
    return max((spec.size_for(*size) for spec in specs), key=lambda pair: pair[0] * pair[1], default=size)


def _resize(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    if picture.size == size:
        return picture
    return picture.resize(size, Resampling.LANCZOS, reducing_gap=REDUCING_GAP)


def _encode(picture: Image.Image, spec: Spec) -> bytes:
    picture.info = {}  # writers take profiles and comments from here
    out = BytesIO()
    if spec.media_type == "image/jpeg":
        picture.save(out, "JPEG", quality=spec.quality, subsampling="4:4:4")
    else:
        picture.save(out, "WEBP", quality=spec.quality, method=spec.effort)
    return out.getvalue()

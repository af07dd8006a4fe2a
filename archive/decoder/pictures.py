"""One picture from its bytes to facts and renditions. Runs inside the confined child only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO

from PIL import Image
from PIL.Image import Transpose

from archive.decoder.clean import clean_text
from archive.decoder.colour import to_plain, to_srgb
from archive.decoder.decoded import Decoded
from archive.decoder.facts import facts_of, orientation_of
from archive.decoder.opening import guarded, media_type_of, open_picture, refuse_huge
from archive.decoder.refusals import Undecodable, refusal_of
from archive.decoder.renditions import ask_for_draft, renditions_of, shrink
from archive.decoder.specs import ALL_SPECS, MAX_PIXELS, Spec
from archive.sniff import PICTURES, UnsupportedMedia

MAX_NOTES = 8

UPRIGHT = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
SIDEWAYS = {Transpose.TRANSPOSE, Transpose.ROTATE_270, Transpose.TRANSVERSE, Transpose.ROTATE_90}
TURNED_BY_THEIR_READER = {"image/tiff", "image/heic"}


def decode_picture(file: IO[bytes], specs: Sequence[Spec] = ALL_SPECS, max_pixels: int = MAX_PIXELS) -> Decoded:
    """Raises Undecodable, with a sentence for people, for everything that is not a usable picture."""
    label = "file"
    try:
        with guarded(max_pixels) as heard:
            media_type = media_type_of(file)
            label = PICTURES[media_type].label
            picture = open_picture(file, media_type, max_pixels)
            notes: list[str] = []
            size = picture.size
            ask_for_draft(picture, specs)
            picture.load()
            refuse_huge(picture, max_pixels)  # some containers only know the true size now
            if media_type in TURNED_BY_THEIR_READER:
                size, turn = picture.size, None
            else:
                turn = UPRIGHT.get(orientation_of(picture, notes))
            facts = facts_of(picture, notes)
            pixels = _upright_srgb(picture, turn, specs, notes)
            notes += [f"Pillow: {warning.message}" for warning in heard]
            return Decoded(
                **{name: getattr(facts, name) for name in facts.__dataclass_fields__},
                format=label,
                media_type=media_type,
                width=size[1] if turn in SIDEWAYS else size[0],
                height=size[0] if turn in SIDEWAYS else size[1],
                notes=tuple(dict.fromkeys(clean_text(note, 300) for note in notes))[:MAX_NOTES],
                renditions=renditions_of(pixels, specs),
            )
    except (Undecodable, ImportError, PermissionError):  # the last two: our own fault, never the file's
        raise
    except UnsupportedMedia as problem:
        raise Undecodable(str(problem), "empty" if problem.empty else "unsupported") from problem
    except Exception as problem:  # Pillow raises SyntaxError, struct.error and many more on broken files
        raise refusal_of(problem, label) from problem


def _upright_srgb(picture: Image.Image, turn: Transpose | None, specs: Sequence[Spec], notes: list[str]) -> Image.Image:
    """Cheapest order: colours and turning come after the shrinking, when few pixels are left."""
    profile = picture.info.get("icc_profile")
    small = shrink(to_plain(picture, notes), specs)
    upright = small.transpose(turn) if turn is not None else small
    return to_srgb(upright, profile if isinstance(profile, bytes) else None, notes)

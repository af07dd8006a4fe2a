"""Packs: the frames of a chunk as small JPEGs in one file, from which every encoder reads, now and later.

Keeping them costs about a twentieth of the film. In return a new space is filled without decoding a film again,
and stills, sprites and comparisons have something to be made of. A pack is a zip whose members are called by
their milliseconds, and is named by its rows in `Rendition`, so that the doctor and the sweeps know it.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from archive.decoder.specs import FRAME, RECIPE_VERSION
from archive.models import Asset, Rendition
from archive.storage import StoreAway, store_is_there

SPEC = "frames-"
MEDIA_TYPE = "application/zip"


class PackMissing(Exception):
    """The frames have to be read from the film again."""

    def __init__(self) -> None:
        super().__init__("The frames of this video are missing or damaged; they are being read from it again.")


def write_pack(asset: Asset, first_ms: int, frames: Sequence[tuple[int, bytes]]) -> Rendition:
    """Write the file; returns its row, not yet saved: it belongs into the caller's transaction."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as pack:
        for at_ms, data in frames:
            pack.writestr(zipfile.ZipInfo(f"{at_ms}.jpg"), data)
    data = out.getvalue()
    key = default_storage.save(pack_key(asset, first_ms, data), ContentFile(data))
    return Rendition(
        asset=asset,
        spec=f"{SPEC}{first_ms}",
        key=key,
        media_type=MEDIA_TYPE,
        width=FRAME.longest,
        height=FRAME.shortest or 0,
        size=len(data),
    )


def pack_key(asset: Asset, first_ms: int, data: bytes) -> str:
    """By the film, recipe, how often it is looked at (two collections may differ in that), and by what it holds.

    A chunk ends earlier on a slow machine. Its pack must not take the place of a longer one that a row names.
    """
    sha256 = asset.sha256
    folder = f"renditions/{RECIPE_VERSION}/{sha256[:2]}/{sha256[2:4]}"
    return f"{folder}/{sha256}.frames-{asset.step_ms}-{first_ms}-{digest_of(data)}.zip"


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def read_frames(asset: int, times: Sequence[int]) -> dict[int, bytes]:
    """The JPEGs of some frames of an asset, by their milliseconds. Raises `PackMissing` and `StoreAway`."""
    packs = packs_of(asset)
    found: dict[int, bytes] = {}
    for key, wanted in _by_pack(packs, times).items():
        try:
            with default_storage.open(key) as file, zipfile.ZipFile(file) as pack:
                found.update((at_ms, pack.read(f"{at_ms}.jpg")) for at_ms in wanted)
        except (FileNotFoundError, KeyError, zipfile.BadZipFile) as problem:
            raise (PackMissing() if store_is_there() else StoreAway()) from problem
    return found


def packs_of(asset: int) -> list[tuple[int, str]]:
    """(first millisecond, key) of an asset's packs, in order."""
    rows = Rendition.objects.filter(asset=asset, spec__startswith=SPEC).values_list("spec", "key")
    return sorted((int(spec.removeprefix(SPEC)), key) for spec, key in rows)


def _by_pack(packs: list[tuple[int, str]], times: Iterable[int]) -> dict[str, list[int]]:
    firsts = [first for first, _ in packs]
    wanted: dict[str, list[int]] = {}
    for at_ms in times:
        number = bisect_right(firsts, at_ms) - 1
        if number < 0:
            raise PackMissing
        wanted.setdefault(packs[number][1], []).append(at_ms)
    return wanted

"""Sprites: small pictures of a whole video in one file, for hovering over its timeline."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from archive.decoder.specs import RECIPE_VERSION
from archive.models import Asset, Frame, Rendition
from archive.video.packs import read_frames

SPEC = "sprite"
MEDIA_TYPE = "image/webp"
COLUMNS = 10
MOST = 200  # pictures, however long the video
LONGEST = 160  # pixels of one


@dataclass(frozen=True)
class Sprite:
    """A grid: each picture is `width` x `height` pixels and stands for `every_seconds`, row by row."""

    columns: int
    rows: int
    width: int
    height: int
    every_seconds: float
    count: int

    def place(self, seconds: float) -> tuple[int, int]:
        """Left and top of the picture for that second, in pixels."""
        number = min(self.count - 1, max(0, int(seconds / self.every_seconds)))
        return number % self.columns * self.width, number // self.columns * self.height


def sprite_of(asset: Asset) -> Sprite | None:
    """How the sprite of a video is laid out: it follows from the video. None until enough is known."""
    if not asset.duration or not asset.step_ms or not asset.width or not asset.height:
        return None
    step = asset.step_ms / 1000
    every = step * max(1, math.ceil(asset.duration / step / MOST))
    count = max(1, math.ceil(asset.duration / every - 1e-6))
    scale = LONGEST / max(asset.width, asset.height)
    width, height = (max(2, round(side * scale)) for side in (asset.width, asset.height))
    columns = min(COLUMNS, count)
    return Sprite(columns, math.ceil(count / columns), width, height, every, count)


def make_sprite(asset: Asset) -> Rendition | None:
    """Write it from the packs; returns its row, not yet saved. Raises `PackMissing`."""
    sprite = sprite_of(asset)
    seconds = list(Frame.objects.filter(asset=asset).order_by("at").values_list("at", flat=True))
    if sprite is None or not seconds:
        return None
    chosen = _frame_for_each(sprite, seconds)
    data = read_frames(asset.pk, sorted(set(chosen)))
    sheet = Image.new("RGB", (sprite.columns * sprite.width, sprite.rows * sprite.height))
    for number, at_ms in enumerate(chosen):
        picture = Image.open(io.BytesIO(data[at_ms]), formats=["JPEG"])
        picture.draft("RGB", (sprite.width, sprite.height))
        sheet.paste(
            picture.convert("RGB").resize((sprite.width, sprite.height), Image.Resampling.BILINEAR),
            sprite.place(number * sprite.every_seconds + sprite.every_seconds / 2),
        )
    out = io.BytesIO()
    sheet.save(out, "WEBP", quality=70, method=2)
    sha256 = asset.sha256
    key = f"renditions/{RECIPE_VERSION}/{sha256[:2]}/{sha256[2:4]}/{sha256}.{SPEC}-{asset.step_ms}.webp"
    default_storage.save(key, ContentFile(out.getvalue()))
    size = len(out.getvalue())
    return Rendition(
        asset=asset, spec=SPEC, key=key, media_type=MEDIA_TYPE, width=sheet.width, height=sheet.height, size=size
    )


def _frame_for_each(sprite: Sprite, seconds: Sequence[float]) -> list[int]:
    """The last frame that is not behind the beginning of a picture's time, else the first: in milliseconds."""
    chosen, number = [], 0
    for tile in range(sprite.count):
        while number + 1 < len(seconds) and seconds[number + 1] < (tile + 1) * sprite.every_seconds - 1e-6:
            number += 1
            if seconds[number] >= tile * sprite.every_seconds - 1e-6:
                break
        chosen.append(round(seconds[number] * 1000))
    return chosen

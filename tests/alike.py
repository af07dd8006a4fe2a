"""Makers of pictures that look alike, and of assets that are ready to be compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from random import Random
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance

from archive.fingerprints import fill
from archive.models import Asset, Collection, Frame, Space, Status
from archive.vectors import store_vectors
from tests.prepared import as_jpeg, make_prepared
from workers.encoders.load import encoder_of
from workers.scenes.drawing import draw
from workers.scenes.sample import THEMES, themed_scene
from workers.scenes.scene import Group, Scene

SIZE = (600, 400)
Edit = Callable[[Image.Image], Image.Image]


def make_scenes(count: int, seed: int = 5) -> list[Scene]:
    dice = Random(seed)
    return [themed_scene(THEMES[number % len(THEMES)], dice) for number in range(count)]


def with_colour(scene: Scene, colour: str) -> Scene:
    """The same scene to the last pixel, but for the colour of its first things."""
    first, *others = scene.groups
    return replace(scene, groups=(Group(first.thing, colour, first.count), *others))


def drawn(scene: Scene, size: tuple[int, int] = SIZE) -> Image.Image:
    return draw(scene, *size)


def compressed(picture: Image.Image, quality: int = 40) -> Image.Image:
    out = BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return Image.open(BytesIO(out.getvalue())).convert("RGB")


def half_size(picture: Image.Image) -> Image.Image:
    return picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.LANCZOS)


def cropped(picture: Image.Image, share: float = 0.01) -> Image.Image:
    """Without `share` of its width and height at each edge."""
    x, y = round(picture.width * share), round(picture.height * share)
    return picture.crop((x, y, picture.width - x, picture.height - y))


def watermarked(picture: Image.Image) -> Image.Image:
    marked = picture.copy()
    place = (picture.width * 0.55, picture.height * 0.9)
    ImageDraw.Draw(marked, "RGBA").text(
        place, "(c) SIGHTLINE", fill=(255, 255, 255, 170), font_size=picture.height // 18
    )
    return marked


def brighter(picture: Image.Image) -> Image.Image:
    return ImageEnhance.Brightness(picture).enhance(1.2)


def mirrored(picture: Image.Image) -> Image.Image:
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


EDITS: dict[str, Edit] = {
    "compressed": compressed,
    "half size": half_size,
    "cropped": cropped,
    "watermarked": watermarked,
    "brighter": brighter,
}


def make_ready(
    collection: Collection, picture: Image.Image, space: Space | None = None, *, sha256: str = "", **fields: Any
) -> Asset:
    """READY, with its fingerprint and, in `space`, its vector; not compared yet."""
    asset = make_prepared(collection, picture, name=fields.pop("filename", "picture.jpg"), sha256=sha256)
    fill([asset.pk])
    if space is not None:
        encoder = encoder_of(space)
        prepared = encoder.prepare(Image.open(BytesIO(as_jpeg(picture))).convert("RGB"))
        vectors = np.asarray(encoder.encode_pictures([prepared]), dtype=np.float32)
        store_vectors(space, [Frame.objects.get(asset=asset).pk], [asset.pk], vectors)
    Asset.objects.filter(pk=asset.pk).update(status=Status.READY, **fields)
    asset.refresh_from_db()
    return asset

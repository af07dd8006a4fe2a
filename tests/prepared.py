"""Makers of assets that are further along than an upload: prepared, waiting for the encoder, or encoded."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.timezone import now
from PIL import Image

from archive.models import (
    Asset,
    ClipEmbedding,
    Collection,
    Embedding,
    Frame,
    Kind,
    Rendition,
    Space,
    Status,
    Step,
    Work,
    WorkState,
)
from archive.renditions import rendition_key
from archive.vectors import store_vectors
from workers.encoders.fake import FakeEncoder

Rows = npt.NDArray[np.float32]


def as_jpeg(picture: Image.Image) -> bytes:
    out = BytesIO()
    picture.save(out, "JPEG", quality=95)
    return out.getvalue()


def store_film(collection: Collection, key: str, data: bytes, **more: Any) -> Asset:
    """A film that is ready, and no film: its original is `data`, whatever that is."""
    return Asset.objects.create(
        collection=collection,
        kind="video",
        status=Status.READY,
        sha256="0" * 64,
        original=default_storage.save(key, ContentFile(data)),
        filename="Möwe.mp4",
        media_type="video/mp4",
        size=len(data),
        **more,
    )


def make_prepared(
    collection: Collection, picture: Image.Image, *spaces: Space, name: str = "picture.jpg", sha256: str = ""
) -> Asset:
    """An asset as PREPARE leaves it: rendition for the encoder, frame, and work in each of `spaces`."""
    data = as_jpeg(picture)
    sha256 = sha256 or hashlib.sha256(data).hexdigest()
    asset = Asset.objects.create(
        collection=collection,
        sha256=sha256,
        original=f"originals/{sha256[:2]}/{sha256[2:4]}/{sha256}",
        filename=name,
        media_type="image/jpeg",
        size=len(data),
        width=picture.width,
        height=picture.height,
    )
    for key in (asset.original, rendition_key(sha256, "encoder")):
        default_storage.save(key, ContentFile(data))
    Rendition.objects.create(
        asset=asset,
        spec="encoder",
        key=rendition_key(sha256, "encoder"),
        media_type="image/jpeg",
        width=picture.width,
        height=picture.height,
        size=len(data),
    )
    Frame.objects.create(asset=asset)
    Work.objects.create(asset=asset, step=Step.PREPARE, state=WorkState.DONE, done_at=now())
    for space in spaces:
        Work.objects.create(asset=asset, step=Step.ENCODE, target=space.slug)
    return asset


def make_encoded(collection: Collection, space: Space, vectors: Rows, *, prefix: str = "row") -> list[Asset]:
    """READY assets without files, one for each row of `vectors` (n, 768): for tests of the SQL."""
    digests = [hashlib.sha256(f"{collection.pk} {prefix} {i}".encode()).hexdigest() for i in range(len(vectors))]
    assets = Asset.objects.bulk_create(
        Asset(
            collection=collection,
            sha256=digest,
            original=f"originals/{digest}",
            filename=f"{prefix}-{i:05}.jpg",
            media_type="image/jpeg",
            size=1,
            status=Status.READY,
        )
        for i, digest in enumerate(digests)
    )
    frames = Frame.objects.bulk_create(Frame(asset=asset) for asset in assets)
    store_vectors(space, [f.pk for f in frames], [a.pk for a in assets], vectors)
    return list(assets)


def random_rows(count: int, seed: int = 0) -> Rows:
    """Unit vectors around a few dozen centres, as those of real pictures are."""
    dice = np.random.default_rng(seed)
    centres = dice.normal(size=(24, 768))
    rows = centres[dice.integers(0, 24, count)] + dice.normal(size=(count, 768)) * 0.8
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def fake_rows(pictures: Sequence[Image.Image]) -> Rows:
    """What the fake encoder says of these pictures as the pipeline sees them: saved as JPEG, read again."""
    encoder = FakeEncoder()
    seen = [Image.open(BytesIO(as_jpeg(picture))).convert("RGB") for picture in pictures]
    return encoder.encode_pictures([encoder.prepare(picture) for picture in seen])


def vector_of(space: Space, asset: Asset) -> Rows:
    """The one stored vector of an asset in a space; fails when there is none, or more."""
    found = Embedding.objects.get(space=space, asset=asset)
    return np.asarray(found.vector, dtype=np.float32)


def add_renditions(asset: Asset) -> None:
    """A thumbnail and a preview, as small as they can be."""
    out = BytesIO()
    Image.new("RGB", (8, 6), "teal").save(out, "WEBP")
    for spec in ("thumbnail", "preview"):
        key = rendition_key(asset.sha256, spec)
        if not default_storage.exists(key):
            default_storage.save(key, ContentFile(out.getvalue()))
        rendition = {"key": key, "media_type": "image/webp", "width": 8, "height": 6, "size": len(out.getvalue())}
        Rendition.objects.create(asset=asset, spec=spec, **rendition)


@dataclass(frozen=True)
class Shot:
    """So many seconds of a made video that look like `vector` (768,)."""

    vector: Rows
    seconds: int


def make_video(collection: Collection, space: Space, shots: Sequence[Shot], name: str = "film.mp4") -> Asset:
    """A READY video without files: a frame a second, each shot's first one representative, a clip vector."""
    digest = hashlib.sha256(f"{collection.pk} {name}".encode()).hexdigest()
    length = sum(shot.seconds for shot in shots)
    asset = Asset.objects.create(
        collection=collection,
        kind=Kind.VIDEO,
        sha256=digest,
        original=f"originals/{digest}",
        filename=name,
        media_type="video/mp4",
        size=1,
        width=320,
        height=240,
        duration=length,
        status=Status.READY,
    )
    frames, rows, start = [], [], 0
    for shot in shots:
        end = start + shot.seconds
        for second in range(start, end):
            span = {"start": start, "end": end} if second == start else {}
            frames.append(Frame(asset=asset, at=second, representative=second == start, **span))
            rows.append(shot.vector + random_rows(1, seed=second)[0] * (0.05 if second > start else 0.1))
        start = end
    made = Frame.objects.bulk_create(frames)
    vectors = np.asarray(rows, dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    store_vectors(space, [frame.pk for frame in made], [asset.pk] * len(made), vectors)
    mean = vectors.mean(axis=0)
    ClipEmbedding.objects.create(space=space, asset=asset, vector=(mean / np.linalg.norm(mean)).tolist())
    return asset


def add_film_files(asset: Asset) -> None:
    """An original that browsers play, stills of its shots and a sprite, as small as they can be."""
    default_storage.save(asset.original, ContentFile(b"no film, but bytes"))
    out = BytesIO()
    Image.new("RGB", (8, 6), "teal").save(out, "WEBP")
    for frame in Frame.objects.filter(asset=asset, representative=True):
        frame.still = default_storage.save(f"t/{asset.sha256}.still-{frame.pk}", ContentFile(out.getvalue()))
        frame.save(update_fields=["still"])
    key = default_storage.save(f"t/{asset.sha256}.sprite", ContentFile(out.getvalue()))
    size = {"width": 8, "height": 6, "size": len(out.getvalue())}
    Rendition.objects.create(asset=asset, spec="sprite", key=key, media_type="image/webp", **size)
    asset.step_ms, asset.exif = 1000, {"VideoCodec": "h264", "PixelFormat": "yuv420p"}
    asset.save(update_fields=["step_ms", "exif"])

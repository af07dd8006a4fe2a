"""A backlog to encode: rows, and renditions on disk, as PREPARE leaves them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence

import numpy as np
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from PIL import Image

from archive.decoder.specs import ENCODER
from archive.models import Asset, Collection, Frame, Rendition, Space, Step, Work, WorkState
from archive.renditions import rendition_key
from archive.spaces import partition
from archive.storage import ORIGINALS

DIFFERENT = 32  # pictures; each asset has a file of its own


def make_backlog(space: Space, count: int) -> None:
    """Pictures as hard to decode as photographs."""
    different = [draw_rendition(seed) for seed in range(DIFFERENT)]
    keep_backlog(space, [different[i % DIFFERENT] for i in range(count)])


def keep_backlog(space: Space, files: Sequence[bytes]) -> list[Asset]:
    """An asset for each of these renditions, in this order."""
    owner, _ = User.objects.get_or_create(username="alice")
    place = Collection.objects.create(slug="backlog", name="Backlog", owner=owner)
    names = [hashlib.sha256(f"{i}".encode()).hexdigest() for i in range(len(files))]
    assets = Asset.objects.bulk_create(
        Asset(collection=place, sha256=name, original=name, filename=f"{i}.jpg", media_type="image/jpeg", size=1)
        for i, name in enumerate(names)
    )
    # Without a folder of originals, workers take the media for not mounted.
    default_storage.save(f"{ORIGINALS}/{names[0]}", ContentFile(files[0]))
    for asset, data in zip(assets, files, strict=True):
        default_storage.save(rendition_key(asset.sha256, ENCODER.name), ContentFile(data))
    Rendition.objects.bulk_create(
        Rendition(
            asset=asset,
            spec=ENCODER.name,
            key=rendition_key(asset.sha256, ENCODER.name),
            media_type=ENCODER.media_type,
            width=683,
            height=512,
            size=len(data),
        )
        for asset, data in zip(assets, files, strict=True)
    )
    Frame.objects.bulk_create(Frame(asset=asset) for asset in assets)
    Work.objects.bulk_create(Work(asset=asset, step=Step.PREPARE, state=WorkState.DONE) for asset in assets)
    Work.objects.bulk_create(Work(asset=asset, step=Step.ENCODE, target=space.slug) for asset in assets)
    return list(assets)


def draw_rendition(seed: int) -> bytes:
    """A JPEG as the `encoder` spec makes it, about as hard to decode as a photograph."""
    dice = np.random.default_rng(seed)
    coarse = Image.fromarray(dice.integers(0, 255, (48, 64, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((683, 512), Image.Resampling.BICUBIC), dtype=np.float32)
    grain = dice.normal(0, 4, smooth.shape)
    out = io.BytesIO()
    Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8)).save(
        out, "JPEG", quality=ENCODER.quality, subsampling=0
    )
    return out.getvalue()


def renew_backlog(space: Space, count: int = 0) -> None:
    """As if nothing had been encoded yet; with a `count`, as if so many assets were new and there were no others."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {partition(space)}")
    work = Work.objects.filter(step=Step.ENCODE, target=space.slug)
    if count:
        work.update(state=WorkState.DONE)
        work = Work.objects.filter(pk__in=list(work.order_by("asset").values_list("pk", flat=True)[:count]))
    work.update(state=WorkState.READY, token=None, lease_until=None, done_at=None, crashes=0, errors=0)

"""A backlog to encode: rows, and renditions on disk, as PREPARE leaves them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import cycle, islice

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from PIL import Image

from archive.decoder.renditions import renditions_of
from archive.decoder.specs import ENCODER
from archive.models import Asset, Collection, Frame, Rendition, Space, Step, Work, WorkState
from archive.renditions import rendition_key
from archive.sample import PHOTOGRAPHS
from archive.spaces import partition
from archive.storage import ORIGINALS


def make_backlog(space: Space, count: int) -> None:
    """Photographs, the same few again and again, but each asset has a file of its own."""
    keep_backlog(space, list(islice(cycle(photographs()), count)))


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


def photographs() -> Iterator[bytes]:
    """The `encoder` renditions of the photographs that come along and are not smaller than one."""
    for path in sorted(PHOTOGRAPHS.glob("*/*.jpg")):
        with Image.open(path) as picture:
            if min(picture.size) >= (ENCODER.shortest or 0):
                yield renditions_of(picture.convert("RGB"), [ENCODER])[ENCODER.name].data


def renew_backlog(space: Space, count: int = 0) -> None:
    """As if nothing had been encoded yet; with a `count`, as if so many assets were new and there were no others."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {partition(space)}")
    work = Work.objects.filter(step=Step.ENCODE, target=space.slug)
    if count:
        work.update(state=WorkState.DONE)
        work = Work.objects.filter(pk__in=list(work.order_by("asset").values_list("pk", flat=True)[:count]))
    work.update(state=WorkState.READY, token=None, lease_until=None, done_at=None, crashes=0, errors=0)

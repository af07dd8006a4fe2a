"""The keywords of files that came before keywords were read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO, cast

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction

from archive.decoder.refusals import DecoderCrashed, DecoderError, DecoderTimedOut, Undecodable
from archive.decoder.sandbox import Sandbox
from archive.keywords import keep_keywords, name_concepts
from archive.models import Asset, Kind, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.contrib.auth.models import User

CHUNK = 100


@dataclass(frozen=True)
class Reading:
    """How far it is. `more`: the time was over before the files were."""

    files: int = 0
    tags: int = 0
    unread: int = 0
    more: bool = False


def read_missing(user: User, collection: str = "", seconds: float = float("inf")) -> Iterator[Reading]:
    """Read them, among what `user` curates, and say after each file how far it is. Stopped, it goes on where it was."""
    until = time.monotonic() + seconds
    told = Reading()
    missing = Asset.objects.curated_by(user).filter(keywords__isnull=True, status=Status.READY, kind=Kind.PHOTO)
    if collection:
        missing = missing.filter(collection__slug=collection)
    last = 0
    with Sandbox(max_pixels=settings.SIGHTLINE_PIXEL_LIMIT) as sandbox:
        while chunk := list(missing.filter(pk__gt=last).order_by("pk").values_list("pk", "original")[:CHUNK]):
            for last, original in chunk:
                if time.monotonic() > until:
                    yield replace(told, more=True)
                    return
                words = _read(original, sandbox)
                if words is None:
                    told = replace(told, unread=told.unread + 1)
                else:
                    told = replace(told, files=told.files + 1, tags=told.tags + _keep(last, words))
                yield told


def _read(original: str, sandbox: Sandbox) -> Sequence[str] | None:
    try:
        with default_storage.open(original) as file:
            return sandbox.decode(cast(BinaryIO, file.file), specs=[]).keywords
    except (Undecodable, DecoderCrashed, DecoderError, DecoderTimedOut, OSError):
        return None


def _keep(pk: int, words: Sequence[str]) -> int:
    concepts = name_concepts(words)
    with transaction.atomic():
        asset = Asset.objects.select_for_update(no_key=True).filter(pk=pk).first()
        return keep_keywords(asset, words, concepts) if asset else 0

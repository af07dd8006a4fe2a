"""Files become assets: sniff, keep the bytes, write the row and its work, ring the bell.

The order is that of a database: the original lies synced under its name before the row that
names it commits, so a committed row always has its file. A crash in between leaves a file
without a row, which the sweep removes after a day.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection, transaction

from archive import dispatch
from archive.incoming import Incoming, StorageFull
from archive.models import Asset, Collection, Kind, Step, Work, WorkState
from archive.models.work import Priority
from archive.moderation.policies import holds_new_in
from archive.sniff import FILMS, sniff_media
from archive.video.animated import is_animated

if TYPE_CHECKING:
    from django.contrib.auth.models import User

__all__ = ["BacklogTooLong", "EmptyFile", "Ingested", "StorageFull", "ingest_file", "refuse_behind_backlog"]


class EmptyFile(Exception):
    def __init__(self) -> None:
        super().__init__("This file is empty. Nothing was sent, or it was lost on the way: try it again.")


class BacklogTooLong(Exception):
    """`wait`: seconds after which there may be room."""

    wait = 60

    def __init__(self) -> None:
        super().__init__("Too many files wait to be prepared, so no more are taken in now. Try again in some minutes.")


@dataclass(frozen=True)
class Ingested:
    asset: Asset
    new: bool  # False: these bytes were in the collection already


def ingest_file(
    incoming: Incoming,
    *,
    collection: Collection,
    uploader: User | None,
    filename: str,
    priority: Priority = Priority.BULK,
    ring: bool = True,
) -> Ingested:
    """Take a received file into a collection. Equal bytes there are answered with the asset that has them.

    `ring=False` leaves the doorbell to a caller who takes in many.

    Raises `EmptyFile`, `archive.sniff.UnsupportedMedia`, `StorageFull`.
    """
    try:
        if not incoming.size:
            raise EmptyFile
        media_type = sniff_media(incoming.head)
        kind = kind_of(incoming, media_type)
        key = original_key(incoming.sha256)
        with transaction.atomic():
            lock_content(incoming.sha256)
            keep(incoming, key)
            asset, new = Asset.objects.get_or_create(
                collection=collection,
                sha256=incoming.sha256,
                defaults={
                    "uploader": uploader,
                    "kind": kind,
                    "original": key,
                    "filename": clean_filename(filename),
                    "media_type": media_type,
                    "size": incoming.size,
                    "quarantined": holds_new_in(collection),
                },
            )
            if new:
                Work.objects.create(asset=asset, step=Step.PREPARE, priority=priority)
                if ring:
                    dispatch.ring_on_commit(Step.PREPARE)
            elif asset.trashed_at:
                asset.trashed_at = None
                asset.save(update_fields=["trashed_at"])
        return Ingested(asset, new)
    finally:
        incoming.discard()


def refuse_behind_backlog(priority: Priority) -> None:
    """Raises `BacklogTooLong` where SIGHTLINE_BACKLOG_LIMIT files that are as urgent, or more so, wait to be prepared.

    For uploads by people and programs; who brings folders by the command line knows what they do.
    """
    limit: int = settings.SIGHTLINE_BACKLOG_LIMIT
    ahead = Work.objects.filter(step=Step.PREPARE, target="", state=WorkState.READY, priority__lte=priority)
    if limit > 0 and ahead.order_by()[limit - 1 : limit].exists():
        raise BacklogTooLong


def kind_of(incoming: Incoming, media_type: str) -> Kind:
    """What moves is a video, though its type may be a picture's."""
    moves = media_type in FILMS or is_animated(incoming.path, media_type)
    return Kind.VIDEO if moves else Kind.PHOTO


def lock_content(sha256: str) -> None:
    """Hold this content until the transaction ends: ingest and purge of equal bytes take turns."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [sha256])


def original_key(sha256: str) -> str:
    return f"originals/{sha256[:2]}/{sha256[2:4]}/{sha256}"


def clean_filename(name: str) -> str:
    """A file name as data: composed, without control characters or folders, at most 255 characters."""
    composed = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    printable = "".join(c for c in composed if unicodedata.category(c)[0] != "C")
    return printable.strip()[-255:] or "unnamed"


def keep(incoming: Incoming, key: str) -> None:
    """Move received bytes, already synced, to their name in the store. Raises `StorageFull`.

    On disk the same is done whether or not these bytes are there: an upload that is quicker than others
    would tell that somebody has them already. An original that was damaged since is whole again.
    """
    try:
        if hasattr(default_storage, "adopt"):
            default_storage.adopt(incoming.path, key)
        elif not (default_storage.exists(key) and default_storage.size(key) == incoming.size):
            with incoming.path.open("rb") as file:  # elsewhere, as on S3: answers only when the bytes are safe
                default_storage.save(key, File(file))
    except OSError as error:
        raise StorageFull from error

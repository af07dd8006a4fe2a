"""PREPARE: read an original once, in the sandbox, and make everything that is made of it."""

from __future__ import annotations

import logging
import os
import socket
import time
from datetime import datetime, timedelta, timezone, tzinfo
from typing import BinaryIO, cast

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import InterfaceError, OperationalError, transaction
from django.utils.timezone import get_default_timezone

from archive import dispatch
from archive.decoder.decoded import Decoded
from archive.decoder.refusals import DecoderCrashed, DecoderError, DecoderTimedOut, Undecodable
from archive.decoder.sandbox import Sandbox
from archive.fingerprints import SPEC, keep_fingerprints
from archive.keywords import keep_keywords, name_concepts
from archive.models import Asset, Frame, Space, Step, Work
from archive.pdq import look_at
from archive.readiness import settle
from archive.renditions import keep_rows, write_files
from workers.claims import Claim, claim, finish, release, set_aside, try_later
from workers.leases import Heartbeat

log = logging.getLogger(__name__)
BATCH = 8
LAST_YEAR = 9999


class OriginalMissing(Exception):
    def __init__(self) -> None:
        super().__init__("The original file is gone from the store. Restore it from the backup, then try again.")


def drain_prepare(budget: float = 60.0) -> bool:
    """Prepare until nothing waits or `budget` seconds have passed; returns whether more may wait."""
    worker = worker_name()
    until = time.monotonic() + budget
    with Heartbeat() as heartbeat, Sandbox(max_pixels=settings.SIGHTLINE_PIXEL_LIMIT) as sandbox:
        while time.monotonic() < until:
            claims = claim(Step.PREPARE, "", BATCH, worker)
            if not claims:
                return False
            heartbeat.hold(claims)
            try:
                for one in claims:
                    prepare_alone(one, sandbox)
                    heartbeat.drop([one])
            finally:
                release(heartbeat.held)
                heartbeat.drop(claims)
            dispatch.ring(Step.ENCODE)
    return True


def prepare_alone(one: Claim, sandbox: Sandbox) -> None:
    """What nobody expected befalls this asset only: given back untouched, it would stop all behind it for ever."""
    try:
        prepare(one, sandbox)
    except (OperationalError, InterfaceError):  # Postgres is away or busy: no fault of the asset
        raise
    except Exception as error:
        log.exception("asset %s", one.asset_id)
        try_later(one, f"Something unexpected happened ({type(error).__name__}); the log has more.")


def prepare(one: Claim, sandbox: Sandbox) -> None:
    """One asset: decode, write renditions, then everything about it in one transaction."""
    asset = Asset.objects.filter(pk=one.asset_id).first()
    if asset is None:  # deleted since, and its work with it
        return
    try:
        decoded = read_original(asset, sandbox)
        rows = write_files(asset, decoded.renditions)
        look = look_at(decoded.renditions[SPEC].data)
    except (Undecodable, OriginalMissing) as error:
        set_aside(one, str(error))
    except DecoderTimedOut as error:
        set_aside(one, str(error))
    except (DecoderCrashed, DecoderError, OSError) as error:
        log.warning("asset %s: %s", asset.uuid, error)
        try_later(one, str(error))
    else:
        concepts = name_concepts(decoded.keywords)
        with transaction.atomic():
            if not finish([one]):
                log.warning("asset %s: fenced, somebody else took over", asset.uuid)
                return
            # What a person wrote while the file was being decoded counts too.
            asset = Asset.objects.select_for_update(no_key=True).get(pk=asset.pk)
            keep_keywords(asset, decoded.keywords, concepts)
            write_facts(asset, decoded)
            keep_rows(rows)
            keep_fingerprints([(asset.pk, look)])
            Frame.objects.get_or_create(asset=asset, at=0.0, defaults={"representative": True})
            add_encoding(asset, one)
            settle([asset.pk])


def read_original(asset: Asset, sandbox: Sandbox) -> Decoded:
    try:
        with default_storage.open(asset.original) as file:
            return sandbox.decode(cast(BinaryIO, file.file))
    except FileNotFoundError as error:
        raise OriginalMissing from error


def write_facts(asset: Asset, decoded: Decoded) -> None:
    """What the picture says of itself; what a person wrote stays."""
    asset.media_type = decoded.media_type
    asset.width, asset.height = decoded.width, decoded.height
    asset.taken_at = asset.taken_at or taken_at(decoded)
    if asset.latitude is None:
        asset.latitude, asset.longitude = decoded.latitude, decoded.longitude
    asset.camera = decoded.camera[:120]
    asset.title = asset.title or decoded.title[:300]
    asset.caption = asset.caption or decoded.caption
    asset.exif = decoded.exif
    asset.notes = list(decoded.notes)
    asset.save(
        update_fields=[
            "media_type",
            "width",
            "height",
            "taken_at",
            "latitude",
            "longitude",
            "camera",
            "title",
            "caption",
            "exif",
            "notes",
        ]
    )


def taken_at(decoded: Decoded) -> datetime | None:
    """The moment on the camera's clock; where it names no zone, the archive's own is assumed."""
    if not decoded.taken_at:
        return None
    zone: tzinfo = get_default_timezone()
    if decoded.taken_offset:
        sign = -1 if decoded.taken_offset[0] == "-" else 1
        hours, minutes = decoded.taken_offset[1:].split(":")
        zone = timezone(sign * timedelta(hours=int(hours), minutes=int(minutes)))
    try:
        moment = datetime.fromisoformat(decoded.taken_at).replace(tzinfo=zone)
    except (ValueError, OverflowError):
        return None
    # In another zone the last days of the calendar lie behind its end: Postgres keeps them, Python cannot
    # read them back, and every list with that row would fail.
    return moment if moment.year < LAST_YEAR else None


def add_encoding(asset: Asset, done: Claim) -> None:
    """Work in every live space, as urgent as what led to it."""
    priority = Work.objects.values_list("priority", flat=True).get(pk=done.work_id)
    Work.objects.bulk_create(
        [
            Work(asset=asset, step=Step.ENCODE, target=slug, priority=priority)
            for slug in Space.objects.live().values_list("slug", flat=True)
        ],
        ignore_conflicts=True,
    )


def worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"[:120]

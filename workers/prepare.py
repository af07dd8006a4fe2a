"""PREPARE: read an original once, in the sandbox, and make everything that is made of it."""

from __future__ import annotations

import logging
import os
import socket
import time

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from archive import dispatch
from archive.decoder.decoded import Decoded
from archive.decoder.refusals import DecoderCrashed, DecoderError, DecoderTimedOut, Undecodable
from archive.decoder.sandbox import Sandbox
from archive.fingerprints import SPEC, keep_fingerprints
from archive.keywords import keep_keywords, name_concepts
from archive.models import Asset, Frame, Step, Work
from archive.pdq import look_at
from archive.readiness import settle
from archive.renditions import keep_rows, write_files
from archive.spaces import hold_live
from archive.storage import StoreAway, store_is_there
from workers.claims import Claim, claim, finish, put_off, release, set_aside, try_later
from workers.facts import write_facts
from workers.films import prepare_film
from workers.leases import Heartbeat
from workers.originals import OriginalMissing, opened

log = logging.getLogger(__name__)
BATCH = 8


def drain_prepare(budget: float = 60.0) -> bool:
    """Prepare until nothing waits or `budget` seconds have passed; returns whether more may wait."""
    until = time.monotonic() + budget
    try:
        more = _drain(until)
    except BaseException:
        sandboxes.close()
        raise
    if not more:
        sandboxes.close()
    return more


def _drain(until: float) -> bool:
    worker = worker_name()
    with Heartbeat() as heartbeat:
        while time.monotonic() < until:
            if not store_is_there():
                log.error("nothing is claimed: %s", StoreAway())
                return False
            claims = claim(Step.PREPARE, "", BATCH, worker)
            if not claims:
                return False
            heartbeat.hold(claims)
            try:
                for one in claims:
                    prepare_alone(one, sandboxes.of(one), until, heartbeat)
                    heartbeat.drop([one])
            finally:
                release(heartbeat.held)
                heartbeat.drop(claims)
            dispatch.ring(Step.ENCODE)
    return True


class Sandboxes:
    """One for pictures and one for films, each started when it is needed, and kept while more waits."""

    def __init__(self) -> None:
        self._made: dict[bool, Sandbox] = {}

    def of(self, one: Claim) -> Sandbox:
        if one.film not in self._made:
            self._made[one.film] = Sandbox(max_pixels=settings.SIGHTLINE_PIXEL_LIMIT, films=one.film)
        return self._made[one.film]

    def close(self) -> None:
        made, self._made = self._made, {}
        for sandbox in made.values():
            sandbox.close()


sandboxes = Sandboxes()


def prepare_alone(
    one: Claim, sandbox: Sandbox, until: float = float("inf"), heartbeat: Heartbeat | None = None
) -> None:
    """What nobody expected befalls this asset only: given back untouched, it would stop all behind it for ever."""
    try:
        prepare(one, sandbox, until, heartbeat)
    except (OperationalError, InterfaceError):  # Postgres is away or busy: no fault of the asset
        raise
    except Exception as error:
        log.exception("asset %s", one.asset_id)
        try_later(one, f"Something unexpected happened ({type(error).__name__}); the log has more.")


def prepare(one: Claim, sandbox: Sandbox, until: float = float("inf"), heartbeat: Heartbeat | None = None) -> None:
    """One asset, or as much of a video as there is time for. What a file is at fault for ends here."""
    asset = Asset.objects.select_related("collection").filter(pk=one.asset_id).first()
    if asset is None:  # deleted since, and its work with it
        return
    try:
        if one.film:
            prepare_film(one, asset, sandbox, until, heartbeat)
        else:
            prepare_photo(one, asset, sandbox)
    except (Undecodable, OriginalMissing) as error:
        set_aside(one, str(error))
    except StoreAway as error:
        put_off(one, str(error))
    except DecoderTimedOut as error:
        # A picture that takes so long always will. A film may have met a busy machine or a slow store.
        (try_later if one.film else set_aside)(one, str(error))
    except (DecoderCrashed, DecoderError, OSError) as error:
        log.warning("asset %s: %s", asset.uuid, error)
        try_later(one, str(error))


def prepare_photo(one: Claim, asset: Asset, sandbox: Sandbox) -> None:
    """Decode, write renditions, then everything about it in one transaction."""
    decoded = read_original(asset, sandbox)
    rows = write_files(asset, decoded.renditions)
    look = look_at(decoded.renditions[SPEC].data)
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
    with opened(asset) as file:
        return sandbox.decode(file)


def add_encoding(asset: Asset, done: Claim) -> None:
    """Work in every live space, as urgent as what led to it."""
    priority = Work.objects.values_list("priority", flat=True).get(pk=done.work_id)
    Work.objects.bulk_create(
        [Work(asset=asset, step=Step.ENCODE, target=slug, priority=priority) for slug in hold_live()],
        ignore_conflicts=True,
    )


def worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"[:120]

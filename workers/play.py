"""PLAY: what a player needs of a video beside its frames. An asset is found without it, and waits for nobody here."""

from __future__ import annotations

import logging
import time

from django.db import InterfaceError, OperationalError, transaction

from archive.models import Asset, Rendition, Step, Work
from archive.readiness import settle
from archive.renditions import keep_rows
from archive.video.packs import PackMissing
from archive.video.sprites import make_sprite
from archive.work import retry
from workers.claims import Claim, claim, finish, release, try_later
from workers.leases import Heartbeat
from workers.prepare import worker_name

log = logging.getLogger(__name__)


def drain_play(budget: float = 60.0) -> bool:
    """Until nothing waits or `budget` seconds have passed; returns whether more may wait."""
    until = time.monotonic() + budget
    with Heartbeat() as heartbeat:
        while time.monotonic() < until:
            claims = claim(Step.PLAY, "", 1, worker_name())
            if not claims:
                return False
            heartbeat.hold(claims)
            try:
                for one in claims:
                    play_alone(one)
            finally:
                release(heartbeat.held)
                heartbeat.drop(claims)
    return True


def play_alone(one: Claim) -> None:
    asset = Asset.objects.filter(pk=one.asset_id).first()
    if asset is None:  # deleted since, and its work with it
        return
    try:
        play(one, asset)
    except (OperationalError, InterfaceError):
        raise
    except PackMissing as error:
        retry(Work.objects.filter(asset=asset, step=Step.PREPARE))
        try_later(one, str(error))
    except Exception as error:
        log.exception("asset %s", asset.uuid)
        try_later(one, f"Something unexpected happened ({type(error).__name__}); the log has more.")


def play(one: Claim, asset: Asset) -> None:
    sprite = make_sprite(asset)
    rows: list[Rendition] = [sprite] if sprite is not None else []
    with transaction.atomic():
        if not finish([one]):
            return
        keep_rows(rows)
        settle([asset.pk])

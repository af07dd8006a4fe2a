"""PLAY: what a player needs of a video beside its frames: a sprite, and a rendition where browsers do not play it."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from django.db import InterfaceError, OperationalError, transaction

from archive.decoder.decoded import Piece
from archive.decoder.refusals import DecoderError
from archive.models import Asset, Rendition, Step, Work
from archive.readiness import settle
from archive.renditions import keep_rows
from archive.storage import StoreAway, store_is_there
from archive.video.packs import PackMissing
from archive.video.playable import forget_pieces, join_pieces, keep_piece, pieces_of, plays_as_it_is
from archive.video.sprites import make_sprite
from archive.work import retry
from workers.claims import Claim, advance, claim, finish, put_off, release, set_aside, try_later
from workers.films import as_long_again, patience
from workers.leases import Heartbeat
from workers.originals import OriginalMissing, opened
from workers.prepare import sandboxes, worker_name

log = logging.getLogger(__name__)
PIECE_MS = 10_000


def drain_play(budget: float = 60.0) -> bool:
    """Until nothing waits or `budget` seconds have passed; returns whether more may wait."""
    until = time.monotonic() + budget
    with Heartbeat() as heartbeat:
        while time.monotonic() < until:
            if not store_is_there():
                log.error("nothing is claimed: %s", StoreAway())
                return False
            claims = claim(Step.PLAY, "", 1, worker_name())
            if not claims:
                sandboxes.close()
                return False
            heartbeat.hold(claims)
            try:
                for one in claims:
                    play_alone(one, until, heartbeat)
            finally:
                release(heartbeat.held)
                heartbeat.drop(claims)
    return True


def play_alone(one: Claim, until: float, heartbeat: Heartbeat) -> None:
    asset = Asset.objects.filter(pk=one.asset_id).first()
    if asset is None:  # deleted since, and its work with it
        return
    try:
        play(one, asset, until, heartbeat)
    except (OperationalError, InterfaceError):
        raise
    except PackMissing as error:
        retry(Work.objects.filter(asset=asset, step=Step.PREPARE))
        try_later(one, str(error))
    except OriginalMissing as error:
        set_aside(one, str(error))
    except StoreAway as error:
        put_off(one, str(error))
    except DecoderError as error:
        (set_aside if error.permanent else try_later)(one, str(error))
    except Exception as error:
        log.exception("asset %s", asset.uuid)
        try_later(one, f"Something unexpected happened ({type(error).__name__}); the log has more.")


def play(one: Claim, asset: Asset, until: float, heartbeat: Heartbeat) -> None:
    """The sprite first; then, where it is needed, the film in pieces, each committed with the position behind it."""
    position = one.position
    if position is None:
        sprite = make_sprite(asset)
        if not _keep(one, asset, [sprite] if sprite is not None else [], 0, stale=pieces_of(asset)):
            return
        position = 0
    if plays_as_it_is(asset):
        _end(one, asset, [])
        return
    begun = time.monotonic()
    while True:
        with opened(asset) as file:
            piece = sandboxes.of(one).make_piece(file, position, position + PIECE_MS, deadline=patience(position))
        if not _keep(one, asset, _stored(asset, position, piece), piece.reached_ms):
            return
        heartbeat.progress()
        if position == one.position:
            until = max(until, as_long_again(begun))
        if piece.ended:
            _end(one, asset, join_pieces(asset))
            return
        position = piece.reached_ms
        if time.monotonic() > until:
            return


def _stored(asset: Asset, position: int, piece: Piece) -> list[Rendition]:
    return [keep_piece(asset, position, piece.data)] if piece.data else []


def _keep(one: Claim, asset: Asset, rows: list[Rendition], position: int, stale: Sequence[Rendition] = ()) -> bool:
    """False where somebody else took over. Pieces of an earlier beginning met elsewhere: they go."""
    with transaction.atomic():
        if not advance(one, position):
            log.warning("asset %s: fenced, somebody else took over", asset.uuid)
            return False
        forget_pieces(stale)
        keep_rows(rows)
    return True


def _end(one: Claim, asset: Asset, rows: list[Rendition]) -> None:
    """The pieces have served: their rows go with the end of the work, their files after it."""
    with transaction.atomic():
        if not finish([one]):
            return
        keep_rows(rows)
        forget_pieces(pieces_of(asset))
        settle([asset.pk])

"""Every new picture is compared with all others, once: what looks alike becomes a pair for people to look at.

Candidates come from four sides (equal bytes, PDQ, vectors, seconds), each by an index; then each pair of
candidates is judged by all that is known of both.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import Case, QuerySet, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Now
from redis.exceptions import RedisError

from archive.decoder.clean import OFFSET
from archive.decoder.facts import TIMES
from archive.models import DuplicatePair, Fingerprint, PairState, Space, Status
from archive.pdq import as_digits, from_digits, turned
from search.likeness import BURST_SECONDS, CROPPED_BITS, SAME_BITS, SIMILAR_SHARE, Seen, judge
from search.neighbours.pairs import Pair, close_pairs, closeness_of, in_order, looking_alike, usual_closeness

BATCH = 32
# An asset with more than so many look-alikes is paired with the nearest; the others find each other.
NEAREST = 16
REMEMBER_SECONDS = 600
# Seven more searches for the copies that somebody turned or mirrored: rarer, and mostly a few bits away.
EF_TURNED = 64

# The zone belongs to the clock that is read: the first of these that is there.
CLOCKS = tuple((clock.name, zone.name) for clock, zone, _ in TIMES)

TWINS = """
SELECT mine.id, twin.id FROM archive_asset mine
JOIN archive_asset twin ON twin.sha256 = mine.sha256 AND twin.id <> mine.id
WHERE mine.id = ANY(%(assets)s)
"""
# Before and after, in the order of the index `asset_taken`. A camera whose clock is wrong says the same second of
# everything: the nearest must do.
MOMENTS = """
SELECT mine.id, near.id FROM archive_asset mine CROSS JOIN LATERAL (
    (SELECT a.id FROM archive_asset a
     WHERE a.taken_at BETWEEN mine.taken_at - %(seconds)s AND mine.taken_at
       AND (a.taken_at, a.id) < (mine.taken_at, mine.id)
     ORDER BY a.taken_at DESC, a.id DESC LIMIT %(nearest)s)
    UNION ALL
    (SELECT a.id FROM archive_asset a
     WHERE a.taken_at BETWEEN mine.taken_at AND mine.taken_at + %(seconds)s
       AND (a.taken_at, a.id) > (mine.taken_at, mine.id)
     ORDER BY a.taken_at, a.id LIMIT %(nearest)s)
) AS near
WHERE mine.id = ANY(%(assets)s)
"""


@dataclass(frozen=True)
class Compared:
    """`pairs` were found, known ones among them."""

    assets: int
    pairs: int


def compare_new(budget: float = float("inf")) -> Compared:
    """Compare what is ready and was not yet, for `budget` seconds at most."""
    until = time.monotonic() + budget
    assets = pairs = 0
    while True:
        done = compare_batch()
        assets, pairs = assets + done.assets, pairs + done.pairs
        if not done.assets or time.monotonic() > until:
            return Compared(assets, pairs)


@transaction.atomic
def compare_batch() -> Compared:
    """The rows stay locked until their pairs are written: who dies leaves them for others, and no two do the same."""
    new = Fingerprint.objects.new().order_by("asset_id")
    chosen = list(new.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:BATCH])
    if not chosen:
        return Compared(0, 0)
    found = find_pairs(chosen)
    DuplicatePair.objects.bulk_create(found, ignore_conflicts=True)  # what was decided stays decided
    Fingerprint.objects.filter(pk__in=chosen).update(compared_at=Now())
    return Compared(len(chosen), len(found))


@transaction.atomic
def forget_comparisons() -> None:
    """Have everything compared again, as after a change of the model. Decisions stay."""
    Fingerprint.objects.update(compared_at=None)
    DuplicatePair.objects.filter(state=PairState.OPEN).delete()


def find_pairs(assets: Sequence[int]) -> list[DuplicatePair]:
    """The pairs that these assets are part of, not saved."""
    seen = look_up(assets)
    sharp = [one for one in seen.values() if one.comparable]
    ids = [one.asset_id for one in sharp]
    pairs = _pairs(TWINS, assets=list(assets))
    pairs |= _pairs(MOMENTS, assets=ids, seconds=timedelta(seconds=BURST_SECONDS), nearest=NEAREST // 2)
    pairs |= looking_alike([(one.asset_id, as_digits(one.bits)) for one in sharp], CROPPED_BITS, NEAREST)
    others = [(one.asset_id, as_digits(way)) for one in sharp for way in turned(one.bits)[1:]]
    pairs |= looking_alike(others, SAME_BITS, NEAREST, EF_TURNED)
    space = Space.objects.active()
    usual = usual_of(space) if space is not None else None
    closeness: dict[Pair, float] = {}
    if space is not None and usual is not None:
        pairs |= set(close_pairs(space, ids, usual + SIMILAR_SHARE * (1 - usual), NEAREST))
        closeness = closeness_of(space, sorted(pairs))
    seen |= look_up({asset for pair in pairs for asset in pair} - set(seen))
    return list(_judged(pairs, seen, closeness, usual))


def _judged(
    pairs: set[Pair], seen: dict[int, Seen], closeness: dict[Pair, float], usual: float | None
) -> Iterable[DuplicatePair]:
    for low, high in sorted(pairs):
        if low not in seen or high not in seen:  # not ready: they will find this one when they are
            continue
        close = closeness.get((low, high))
        share = None if close is None or usual is None else (close - usual) / max(1e-6, 1 - usual)
        verdict = judge(seen[low], seen[high], share)
        if verdict is not None:
            yield DuplicatePair(low_id=low, high_id=high, kind=verdict.kind, distance=verdict.distance, closeness=close)


def look_up(assets: Iterable[int]) -> dict[int, Seen]:
    """Of those that are ready and have a fingerprint."""
    found = Fingerprint.objects.filter(pk__in=assets, asset__status=Status.READY).select_related("asset")
    about = (f"asset__{name}" for name in ("sha256", "collection_id", "uploader_id", "camera", "taken_at"))
    zones = [When(asset__exif__has_key=clock, then=KeyTextTransform(zone, "asset__exif")) for clock, zone in CLOCKS]
    ready: QuerySet[Any] = found.only(*about, "pdq", "quality", "spread", "colours").annotate(zone=Case(*zones))
    return {
        one.pk: Seen(
            asset_id=one.pk,
            sha256=one.asset.sha256,
            collection_id=one.asset.collection_id,
            uploader_id=one.asset.uploader_id,
            camera=one.asset.camera,
            taken_at=one.asset.taken_at,
            zoned=OFFSET.fullmatch(one.zone or "") is not None,
            bits=from_digits(one.pdq),
            quality=one.quality,
            spread=one.spread,
            colours=bytes(one.colours),
        )
        for one in ready
    }


def usual_of(space: Space) -> float | None:
    """Remembered for a while: it hardly moves. None while the space holds too few vectors to tell."""
    name = f"usual:{space.pk}"
    known: float | None = None
    with suppress(RedisError, OSError):
        known = cache.get(name)
    if known is None and (known := usual_closeness(space)) is not None:
        with suppress(RedisError, OSError):
            cache.set(name, known, REMEMBER_SECONDS)
    return known


def _pairs(sql: str, **params: Any) -> set[Pair]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return {in_order(*row) for row in cursor.fetchall()}

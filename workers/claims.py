"""Claims on work: leases with fencing tokens, counted deaths, nothing lost and nothing twice.

Only the database's clock is compared, so a wrong clock on a worker changes nothing. The token
is the fence: a worker that slept past its lease finds its token gone and its result refused.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from archive.models import Kind, Step
from archive.models.work import Priority
from archive.readiness import settle

# A batch dies with one bad item. Whatever was in it is then tried alone; after three more
# deaths of its own it is set aside.
DEATHS = 4
ERRORS = 8
WAIT = timedelta(seconds=15)

FIRST = """
SELECT w.crashes, a.kind FROM archive_work w JOIN archive_asset a ON a.id = w.asset_id
WHERE w.state = 'ready' AND w.step = %(step)s AND w.target = %(target)s AND w.not_before <= now()
  AND (w.crashes = 0 OR %(suspects)s)
ORDER BY w.priority, w.id LIMIT 1
"""
CLAIM = """
WITH chosen AS (
    SELECT id FROM archive_work
    WHERE state = 'ready' AND step = %(step)s AND target = %(target)s AND not_before <= now()
      AND (crashes = 0) <> %(suspect)s
    ORDER BY priority, id FOR UPDATE SKIP LOCKED LIMIT %(limit)s
)
UPDATE archive_work w
SET state = 'running', attempts = attempts + 1, token = gen_random_uuid(), worker = %(worker)s,
    lease_until = now() + %(lease)s
FROM chosen WHERE w.id = chosen.id
RETURNING w.id, w.asset_id, w.token, w.crashes > 0, (SELECT a.kind FROM archive_asset a WHERE a.id = w.asset_id),
          w.position
"""
RENEW = """
UPDATE archive_work SET lease_until = now() + %(lease)s
WHERE token = ANY(%(tokens)s) AND state = 'running' RETURNING token
"""
FINISH = """
UPDATE archive_work w
SET state = 'done', token = NULL, lease_until = NULL, last_error = '', done_at = now()
FROM unnest(%(ids)s::bigint[], %(tokens)s::uuid[]) AS held(id, token)
WHERE w.id = held.id AND w.token = held.token AND w.state = 'running'
RETURNING w.id
"""
ADVANCE = """
UPDATE archive_work
SET position = %(position)s, lease_until = now() + %(lease)s, crashes = 0, errors = 0, last_error = '',
    begun_at = CASE WHEN %(position)s > 0 THEN coalesce(begun_at, now()) END,
    priority = CASE WHEN %(position)s > 0 THEN greatest(priority, %(rest)s) ELSE priority END
WHERE id = %(id)s AND token = %(token)s AND state = 'running' RETURNING id
"""
RELEASE = """
UPDATE archive_work SET state = 'ready', token = NULL, lease_until = NULL, attempts = attempts - 1
WHERE token = ANY(%(tokens)s) AND state = 'running'
"""
SET_ASIDE = """
UPDATE archive_work
SET state = 'quarantined', token = NULL, lease_until = NULL, last_error = %(error)s, done_at = now()
WHERE token = %(token)s AND state = 'running' RETURNING asset_id
"""
TRY_LATER = """
UPDATE archive_work
SET state = CASE WHEN errors + 1 >= %(most)s THEN 'quarantined' ELSE 'ready' END,
    errors = errors + 1, token = NULL, lease_until = NULL, last_error = %(error)s,
    not_before = now() + least(300, power(2, errors)) * (0.5 + random()) * interval '1 second'
WHERE token = %(token)s AND state = 'running' RETURNING asset_id
"""
PUT_OFF = """
UPDATE archive_work
SET state = 'ready', token = NULL, lease_until = NULL, last_error = %(why)s, not_before = now() + %(pause)s,
    attempts = attempts - 1
WHERE token = %(token)s AND state = 'running' RETURNING asset_id
"""
REAP = """
UPDATE archive_work
SET state = CASE WHEN crashes + 1 >= %(most)s THEN 'quarantined' ELSE 'ready' END,
    crashes = crashes + 1, token = NULL, lease_until = NULL,
    not_before = now() + crashes * interval '1 second',
    last_error = 'The worker died ' || crashes + 1 || ' times while it had this file.'
WHERE state = 'running' AND lease_until < now()
RETURNING asset_id
"""


@dataclass(frozen=True)
class Claim:
    """Work held by this worker until its lease ends or its token is taken away."""

    work_id: int
    asset_id: int
    token: uuid.UUID
    suspect: bool = False  # a worker died on it before
    kind: str = Kind.PHOTO
    position: int | None = None  # milliseconds of a video that are done

    @property
    def film(self) -> bool:
        return self.kind == Kind.VIDEO


def claim(step: Step, target: str, limit: int, worker: str, *, suspects: bool = True) -> list[Claim]:
    """Take up to `limit` items, the urgent first. An item that a worker died on comes alone, and so does a video.

    Whoever holds other items must ask without `suspects`: they would die with it, as often as it does.
    """
    which: dict[str, Any] = {"step": step, "target": target}
    with connection.cursor() as cursor:
        cursor.execute(FIRST, which | {"suspects": suspects})
        first = cursor.fetchone()
        if first is None:
            return []
        suspect, alone = first[0] > 0, first[0] > 0 or first[1] == Kind.VIDEO
        terms = {"suspect": suspect, "limit": 1 if alone else limit, "worker": worker, "lease": _lease()}
        cursor.execute(CLAIM, which | terms)
        claims = [Claim(*row) for row in cursor.fetchall()]
    photos = [one for one in claims if not one.film]
    kept = photos or claims[:1]
    release([one for one in claims if one not in kept])
    return kept


def renew(claims: Sequence[Claim]) -> set[uuid.UUID]:
    """Lengthen the leases; returns the tokens that are still ours."""
    with connection.cursor() as cursor:
        cursor.execute(RENEW, _renewal(claims))
        return {token for (token,) in cursor.fetchall()}


def finish(claims: Sequence[Claim]) -> set[int]:
    """Mark as done, in the caller's transaction, which also stores the results.

    Returns the work ids that were still ours; results of the others must not be stored.
    """
    with connection.cursor() as cursor:
        cursor.execute(FINISH, {"ids": [c.work_id for c in claims], "tokens": [c.token for c in claims]})
        return {work_id for (work_id,) in cursor.fetchall()}


def advance(claim: Claim, position: int) -> bool:
    """A chunk of a video is done, up to `position` milliseconds, in the caller's transaction, which also stores it.

    False where the claim is no longer ours: then nothing of the chunk may be stored. It is progress, so former
    deaths and errors are forgotten: a film of hours may outlive many workers.
    """
    where: dict[str, Any] = {"id": claim.work_id, "token": claim.token, "lease": _lease()}
    terms = {"position": position, "rest": Priority.LONG, **where}
    with connection.cursor() as cursor:
        cursor.execute(ADVANCE, terms)
        return cursor.fetchone() is not None


def release(claims: Sequence[Claim]) -> None:
    """Give back, for others to take at once."""
    if not claims:
        return
    with connection.cursor() as cursor:
        cursor.execute(RELEASE, {"tokens": [c.token for c in claims]})


def set_aside(claim: Claim, error: str) -> None:
    """For ever: the file itself is at fault. Its asset becomes FAILED with this sentence."""
    _end(SET_ASIDE, {"token": claim.token, "error": error})


def try_later(claim: Claim, error: str) -> None:
    """A passing cause: again after a pause that doubles, set aside after the eighth time."""
    _end(TRY_LATER, {"token": claim.token, "error": error, "most": ERRORS})


def put_off(claim: Claim, why: str) -> None:
    """It waits for what is no fault of the asset, such as other work that is under way or a full device: again after a
    pause, as often as it takes."""
    _end(PUT_OFF, {"token": claim.token, "why": why, "pause": WAIT})


def reap() -> int:
    """Free what dead workers held; returns how many items."""
    return _end(REAP, {"most": DEATHS})


@transaction.atomic
def _end(sql: str, params: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        assets = [asset for (asset,) in cursor.fetchall()]
    settle(assets)
    return len(assets)


def _renewal(claims: Sequence[Claim]) -> dict[str, Any]:
    return {"lease": _lease(), "tokens": [c.token for c in claims]}


def _lease() -> timedelta:
    return timedelta(seconds=settings.SIGHTLINE_LEASE_SECONDS)

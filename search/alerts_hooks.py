"""Webhooks: a program is called when an alert finds something, and can tell that it was we who called.

A call carries `Sightline-Timestamp` and `Sightline-Signature: v1=HEX`, the HMAC-SHA256 of "TIMESTAMP.BODY" with the
secret. It may come twice: `Sightline-Delivery` is the same then.

A try is counted before the call is made, and no transaction is open meanwhile: whoever dies in it has tried.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac
from django.utils.timezone import now

from archive.models import Alert, Delivery, DeliveryState, Match, Webhook
from archive.models.saved import MatchQuerySet
from archive.models.telling import MOST_TRIES, new_salt
from search.alerts_http import CallFailed, RefusedAddress, post, resolve

PAUSES = (60, 300, 1800, 7200, 21_600, 43_200, 86_400)  # seconds between tries; a call is much shorter
HIDDEN_PAUSE = timedelta(hours=1)
KEPT = timedelta(days=30)  # of the log
LOGGED = 20


def secret_of(hook: Webhook) -> str:
    """From the hook's salt and SECRET_KEY: whoever reads the database alone cannot sign."""
    digest = salted_hmac("sightline.webhook", hook.salt, algorithm="sha256").digest()
    return "whsec_" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def set_hook(alert: Alert, url: str) -> tuple[Webhook, str]:
    """Call `url` from now on; returns the new secret, which is shown this once. Raises `RefusedAddress`."""
    resolve(url.strip(), settings.SIGHTLINE_HOOK_NETWORKS)
    hook, _ = Webhook.objects.update_or_create(alert=alert, defaults={"url": url.strip(), "salt": new_salt()})
    return hook, secret_of(hook)


def find_hook(alert: Alert | None) -> Webhook | None:
    return Webhook.objects.filter(alert=alert).first() if alert else None


def last_deliveries(hook: Webhook) -> list[Delivery]:
    return list(hook.deliveries.all()[:LOGGED])


def try_again(hook: Webhook) -> int:
    """Those that were given up."""
    failed = hook.deliveries.filter(state=DeliveryState.FAILED)
    return failed.update(state=DeliveryState.WAITING, tries=0, try_after=Now(), ended_at=None)


def deliver(budget: float = float("inf")) -> int:
    """Make the calls that are due, for `budget` seconds at most; returns how many arrived."""
    until, sent = time.monotonic() + budget, 0
    while time.monotonic() < until and (claimed := _claim()):
        sent += bool(claimed.body) and _call(claimed.delivery, claimed.body)
    return sent


def forget_deliveries() -> None:
    """The log of what ended long ago."""
    Delivery.objects.filter(ended_at__lt=now() - KEPT).delete()


def sign(secret: str, timestamp: int, body: bytes) -> str:
    return "v1=" + hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Claimed:
    """A delivery that is nobody else's until its next try is due. Without a `body` there is nothing to call about."""

    delivery: Delivery
    body: bytes


@transaction.atomic
def _claim() -> Claimed | None:
    """The call that waits longest, counted as tried already; None: nothing is due."""
    due = Delivery.objects.filter(state=DeliveryState.WAITING, try_after__lte=now())
    locked = due.order_by("try_after", "pk").select_for_update(skip_locked=True, of=("self",))
    one = locked.select_related("webhook__alert__search", "webhook__alert__person").first()
    if one is None:
        return None
    body = b""
    if one.tries >= MOST_TRIES:  # who made the last one did not live to say so
        one.state, one.note = DeliveryState.FAILED, "The last call was cut off."
    elif not _put_off_hidden(one):
        body = _body(one)
        if body:
            one.try_after = now() + timedelta(seconds=PAUSES[min(one.tries, len(PAUSES) - 1)])
            one.tries += 1
        else:
            one.state, one.note = DeliveryState.DROPPED, "Nothing in it may be seen by you any more."
    if one.state != DeliveryState.WAITING:
        one.ended_at = now()
    one.save(update_fields=["assets", "state", "tries", "try_after", "note", "ended_at"])
    return Claimed(one, body)


def _put_off_hidden(one: Delivery) -> bool:
    """What lies in the trash or in quarantine is told when it is back: by a call of its own, unless it is all of this
    one, which waits then."""
    alert = one.webhook.alert
    hidden = _found(one).hidden_from(alert.person) if alert.active and alert.person.is_active else Match.objects.none()
    away = set(hidden.values_list("asset", flat=True))
    if not away:
        return False
    later = now() + HIDDEN_PAUSE
    if not _found(one).visible_to(alert.person).exists():
        one.try_after = later
        return True
    Delivery.objects.create(webhook=one.webhook, assets=sorted(away), try_after=later, made_at=one.made_at)
    one.assets = [asset for asset in one.assets if asset not in away]
    return False


def _call(one: Delivery, body: bytes) -> bool:
    """Returns whether it arrived."""
    timestamp = int(time.time())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Sightline",
        "Sightline-Delivery": str(one.uuid),
        "Sightline-Timestamp": str(timestamp),
        "Sightline-Signature": sign(secret_of(one.webhook), timestamp, body),
    }
    status = None
    try:
        status = post(resolve(one.webhook.url, settings.SIGHTLINE_HOOK_NETWORKS), body, headers)
        note = _complaint(status)
    except (RefusedAddress, CallFailed) as error:
        note = str(error)[:300]
    _end(one, status, note)
    return not note


def _end(one: Delivery, status: int | None, note: str) -> None:
    """Unless somebody else has gone on with it since: the count of tries tells."""
    ended: dict[str, Any] = {}
    if not note:
        ended = {"state": DeliveryState.SENT, "ended_at": now()}
    elif one.tries >= MOST_TRIES:
        ended = {"state": DeliveryState.FAILED, "ended_at": now()}
    still = Delivery.objects.filter(pk=one.pk, state=DeliveryState.WAITING, tries=one.tries)
    still.update(status=status, note=note, **ended)


def _complaint(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"It answered {status}: redirects are not followed. Give the address where it leads."
    return f"It answered {status}."


def _found(one: Delivery) -> MatchQuerySet:
    return Match.objects.filter(alert=one.webhook.alert_id, asset__in=one.assets)


def _body(one: Delivery) -> bytes:
    """What is told, of that which the alert's person may see now; empty where that is nothing."""
    alert = one.webhook.alert
    matches = _found(one).visible_to(alert.person).order_by("asset_id").select_related("asset")
    found = [
        {
            "asset": str(match.asset.uuid),
            "filename": match.asset.filename,
            "kind": match.asset.kind,
            "url": settings.SIGHTLINE_URL + match.get_absolute_url(),
        }
        for match in matches.only("alert", "at", "asset__uuid", "asset__filename", "asset__kind")
    ]
    if not found or not alert.active or not alert.person.is_active:
        return b""
    search = {"saved_search": str(alert.search.uuid), "name": alert.search.name}
    return orjson.dumps({"delivery": str(one.uuid), "found_at": one.made_at, **search, "assets": found})

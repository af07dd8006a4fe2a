"""Webhooks: a program is called when an alert finds something, and can tell that it was we who called.

A call carries `Sightline-Timestamp` and `Sightline-Signature: v1=HEX`, the HMAC-SHA256 of "TIMESTAMP.BODY" with the
secret. It may come twice: `Sightline-Delivery` is the same then.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from datetime import timedelta

import orjson
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac
from django.utils.timezone import now

from archive.models import Alert, Asset, Delivery, DeliveryState, Match, Webhook
from archive.models.telling import MOST_TRIES, new_salt
from search.alerts_http import CallFailed, RefusedAddress, post, resolve

PAUSES = (60, 300, 1800, 7200, 21_600, 43_200, 86_400)  # seconds between tries
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
    while time.monotonic() < until:
        state = _deliver_one()
        if state is None:
            break
        sent += state == DeliveryState.SENT
    return sent


def forget_deliveries() -> None:
    """The log of what ended long ago."""
    Delivery.objects.filter(ended_at__lt=now() - KEPT).delete()


def sign(secret: str, timestamp: int, body: bytes) -> str:
    return "v1=" + hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


@transaction.atomic
def _deliver_one() -> DeliveryState | None:
    """The call that waits longest; its row is locked meanwhile. None: nothing is due."""
    due = Delivery.objects.filter(state=DeliveryState.WAITING, try_after__lte=now())
    locked = due.order_by("try_after", "pk").select_for_update(skip_locked=True, of=("self",))
    one = locked.select_related("webhook__alert__search", "webhook__alert__person").first()
    if one is None:
        return None
    body = _body(one)
    if body is None:
        one.state, one.note = DeliveryState.DROPPED, "Nothing in it may be seen by you any more."
    else:
        _call(one, body)
    if one.state != DeliveryState.WAITING:
        one.ended_at = now()
    one.save(update_fields=["state", "tries", "try_after", "status", "note", "ended_at"])
    return DeliveryState(one.state)


def _call(one: Delivery, body: bytes) -> None:
    timestamp = int(time.time())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Sightline",
        "Sightline-Delivery": str(one.uuid),
        "Sightline-Timestamp": str(timestamp),
        "Sightline-Signature": sign(secret_of(one.webhook), timestamp, body),
    }
    one.tries += 1
    one.status = None
    try:
        one.status = post(resolve(one.webhook.url, settings.SIGHTLINE_HOOK_NETWORKS), body, headers)
        one.note = _complaint(one.status)
    except (RefusedAddress, CallFailed) as error:
        one.note = str(error)[:300]
    if not one.note:
        one.state = DeliveryState.SENT
    elif one.tries >= MOST_TRIES:
        one.state = DeliveryState.FAILED
    else:
        one.try_after = now() + timedelta(seconds=PAUSES[one.tries - 1])


def _complaint(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"It answered {status}: redirects are not followed. Give the address where it leads."
    return f"It answered {status}."


def _body(one: Delivery) -> bytes | None:
    """What is told, of that which the alert's person may see now."""
    alert = one.webhook.alert
    matches = Match.objects.visible_to(alert.person).filter(alert=alert, asset__in=one.assets)
    assets = Asset.objects.filter(pk__in=matches.values("asset")).order_by("pk").only("uuid", "filename", "kind")
    found = [
        {
            "asset": str(asset.uuid),
            "filename": asset.filename,
            "kind": asset.kind,
            "url": settings.SIGHTLINE_URL + asset.get_absolute_url(),
        }
        for asset in assets
    ]
    if not found or not alert.active or not alert.person.is_active:
        return None
    search = {"saved_search": str(alert.search.uuid), "name": alert.search.name}
    return orjson.dumps({"delivery": str(one.uuid), "found_at": one.made_at, **search, "assets": found})

"""Digests: one e-mail a person and interval about all that their alerts found, never one a picture.

The rows are marked in the transaction in which the mail was handed over: a kill in between repeats a digest, with
the same Message-ID, and loses none. What cannot be sent stays unmailed, and on the page.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from smtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused, SMTPSenderRefused
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.timezone import now

from archive.alerts import mail_is_set_up, not_due
from archive.models import Alert, Digest, Every, Match
from archive.models.telling import MOST_TRIES

log = logging.getLogger(__name__)

# What is wrong with one message or its address. Else it is the server.
ONE_MESSAGE = (SMTPRecipientsRefused, SMTPSenderRefused, SMTPDataError)
SALT = "sightline.digest"
NAMED = 10  # pictures of an alert that a digest names
MOST = 1000  # matches that one digest is about; the next one has the rest
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=6)


@dataclass(frozen=True)
class Found:
    """What a digest says of one alert."""

    alert: Alert
    url: str
    count: int
    some: list[tuple[str, str]]  # name and address

    @property
    def more(self) -> int:
        return self.count - len(self.some)


class ServerAway(Exception):
    """The mail server does not answer: whoever comes next would only wait for it as well."""


def send_digests(budget: float = float("inf")) -> int:
    """Send what is due, for `budget` seconds at most; returns how many digests went out. An address that is
    refused keeps no other from being written to."""
    if not mail_is_set_up():
        return 0
    unmailed = Match.objects.shown().filter(mailed_at__isnull=True, alert__active=True, alert__by_mail=True)
    people = User.objects.filter(is_active=True, pk__in=unmailed.values("alert__person")).exclude(email="")
    until, sent = time.monotonic() + budget, 0
    for person in list(people.exclude(pk__in=not_due().values("pk")).order_by("pk")):
        if time.monotonic() > until:
            break
        try:
            sent += _send_to(person)
        except ServerAway:
            break
    return sent


def choose(person: User, every: str, address: str) -> Digest:
    """How often, and where to. Saving it gives what could not be sent another chance; what was found while nobody
    wanted mail stays on the page."""
    before = Digest.objects.filter(person=person).first()
    if not person.email or (before is not None and before.every == Every.NEVER):
        Match.objects.filter(alert__person=person, mailed_at__isnull=True).update(mailed_at=Now())
    User.objects.filter(pk=person.pk).update(email=address)
    chosen = {"every": Every(every), "tries": 0, "try_after": None, "error": ""}
    return Digest.objects.update_or_create(person=person, defaults=chosen)[0]


def unsubscribe(person_id: int) -> None:
    Digest.objects.filter(person=person_id).update(every=Every.NEVER)


def token_for(person: User) -> str:
    return signing.dumps(person.pk, salt=SALT)


def read_token(token: str) -> int | None:
    """Whose it is; None where we did not sign it. It does not age: an old mail must still be good for this."""
    try:
        pk: int = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return None
    return pk


def _send_to(person: User) -> bool:
    Digest.objects.get_or_create(person=person)
    with transaction.atomic():
        locked = Digest.objects.select_for_update(skip_locked=True).exclude(pk__in=not_due().values("pk"))
        digest = locked.filter(pk=person.pk).first()
        if digest is None:  # another worker is at it, or was
            return False
        mine = Match.objects.shown().filter(alert__person=person, alert__by_mail=True)
        unmailed = mine.filter(mailed_at__isnull=True)  # what is hidden now waits for a later one
        matches = list(unmailed.order_by("pk")[:MOST])
        seen = Match.objects.visible_to(person).filter(pk__in=[one.pk for one in matches], alert__active=True)
        shown = list(seen.select_related("asset", "alert__search").order_by("alert", "-pk"))
        failure: Exception | None = None
        try:
            if shown:
                _message(person, shown).send()
        except (SMTPException, OSError) as error:
            failure = error
        if failure is not None:
            _put_off(digest, failure)
        else:
            _end(digest, matches, shown)
    if failure is not None and not isinstance(failure, ONE_MESSAGE):
        raise ServerAway
    return bool(shown) and failure is None


def _end(digest: Digest, matches: Sequence[Match], told: Sequence[Match]) -> None:
    """What may not be seen any more is behind us as well, but not what went into quarantine in this moment."""
    some = {one.pk for one in told}
    Match.objects.filter(pk__in=some).update(mailed_at=Now())
    Match.objects.shown().filter(pk__in={one.pk for one in matches} - some).update(mailed_at=Now())
    if told:
        Digest.objects.filter(pk=digest.pk).update(sent_at=Now(), tries=0, try_after=None, error="")


def _put_off(digest: Digest, error: Exception) -> None:
    log.warning("digest of %s: %s", digest.pk, error)
    tries = digest.tries + 1
    pause = min(FIRST_PAUSE * 4 ** (tries - 1), LONGEST_PAUSE)
    last = " It was tried for the last time; save this form to begin again." if tries >= MOST_TRIES else ""
    said = f"The last e-mail could not be sent ({type(error).__name__}).{last}"
    Digest.objects.filter(pk=digest.pk).update(tries=tries, try_after=now() + pause, error=said)


def _message(person: User, matches: Sequence[Match]) -> EmailMultiAlternatives:
    stop = f"{settings.SIGHTLINE_URL}{reverse('stop_digest', args=[token_for(person)])}"
    found = _by_alert(matches)
    context = {
        "person": person,
        "found": found,
        "count": len(matches),
        "alerts_url": settings.SIGHTLINE_URL + reverse("alerts"),
        "stop_url": stop,
    }
    many = f"{len(matches)} new picture{'' if len(matches) == 1 else 's'}"
    names = ", ".join(one.alert.search.name for one in found[:3])
    host = urlsplit(settings.SIGHTLINE_URL).hostname or "localhost"
    about = ",".join(str(match.pk) for match in matches)
    message = EmailMultiAlternatives(
        subject=" ".join(f"{many}: {names}".split())[:200],
        body=render_to_string("search/saved_mail.txt", context),
        to=[person.email],
        headers={
            "Message-ID": f"<digest.{hashlib.sha256(about.encode()).hexdigest()[:24]}@{host}>",
            # One click in a mail program is a POST: RFC 8058.
            "List-Unsubscribe": f"<{stop}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
        },
    )
    message.attach_alternative(render_to_string("search/saved_mail.html", context), "text/html")
    return message


def _by_alert(matches: Sequence[Match]) -> list[Found]:
    groups: dict[int, list[Match]] = {}
    for match in matches:
        groups.setdefault(match.alert_id, []).append(match)
    return [
        Found(
            some[0].alert,
            settings.SIGHTLINE_URL + some[0].alert.search.get_absolute_url(),
            len(some),
            [(str(one.asset), settings.SIGHTLINE_URL + one.get_absolute_url()) for one in some[:NAMED]],
        )
        for some in groups.values()
    ]

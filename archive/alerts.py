"""New assets, noted for the alerts: in the transaction that stores their vectors, so that none is forgotten.

Comparing them with what people look for is the searching room's: a task calls it by name.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils.timezone import now

from archive import dispatch
from archive.models import Arrival, Delivery, DeliveryState, Digest, Match, Space
from archive.models.telling import INTERVALS, MOST_TRIES, Every

if TYPE_CHECKING:
    from archive.vectors import Rows

# What is READY was looked at when it came: it gets vectors again when the model changes or somebody has it encoded
# again, and stays READY meanwhile (archive.readiness). And where nobody waits for anything, nothing is written.
NOTE = """
INSERT INTO archive_arrival (asset_id)
SELECT a.id FROM archive_asset a
WHERE a.id = ANY(%(assets)s) AND a.status <> 'ready'
  AND EXISTS (SELECT FROM archive_alert WHERE active)
ON CONFLICT DO NOTHING
"""
# What comes out of quarantine was looked at while nobody could see it. Old assets are no news.
NOTE_RELEASED = """
INSERT INTO archive_arrival (asset_id)
SELECT a.id FROM archive_asset a
WHERE a.id = ANY(%(assets)s) AND a.added_at > now() - interval '30 days'
  AND EXISTS (SELECT FROM archive_alert WHERE active)
ON CONFLICT DO NOTHING
"""


def note_arrivals(space: Space, rows: Rows) -> None:
    """A watcher (archive.noticing): every space counts, for another may be searched in a moment."""
    _note(NOTE, set(rows.assets))


def note_released(assets: Iterable[int]) -> None:
    """Assets that everybody sees again, in the transaction that shows them."""
    _note(NOTE_RELEASED, set(assets))


def _note(statement: str, assets: set[int]) -> None:
    if not assets:
        return
    with connection.cursor() as cursor:
        cursor.execute(statement, {"assets": sorted(assets)})
        noted = cursor.rowcount
    if noted:
        transaction.on_commit(dispatch.alert, robust=True)


def something_waits() -> bool:
    """Whether there is anything to compare, to call or to send."""
    space = Space.objects.active()
    if space is not None and Arrival.objects.due(space).exists():
        return True
    if Delivery.objects.filter(state=DeliveryState.WAITING, try_after__lte=now()).exists():
        return True
    return a_digest_is_due()


def mail_is_set_up() -> bool:
    """Elsewhere than by SMTP (to a file, to the terminal) no host is needed."""
    by_smtp = settings.EMAIL_BACKEND == "django.core.mail.backends.smtp.EmailBackend"
    return bool(settings.SIGHTLINE_URL and (settings.EMAIL_HOST or not by_smtp))


def a_digest_is_due() -> bool:
    """Of somebody with an address, whose last one is long enough ago; whether it may be sent is asked later."""
    if not mail_is_set_up():
        return False
    unmailed = Match.objects.shown().filter(mailed_at__isnull=True, alert__active=True, alert__by_mail=True)
    people = unmailed.filter(alert__person__is_active=True).exclude(alert__person__email="")
    return people.exclude(alert__person__in=not_due().values("pk")).exists()


def not_due() -> QuerySet[Digest]:
    """Of those who got one within their interval, want none, wait for another try, or were tried too often."""
    early = Q(every=Every.NEVER) | Q(try_after__gt=Now()) | Q(tries__gte=MOST_TRIES)
    for every, interval in INTERVALS.items():
        early |= Q(every=every, sent_at__gt=now() - interval)
    return Digest.objects.filter(early)

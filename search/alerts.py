"""Alerts: switched on and off, and what they found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.db.models import Count, Max
from django.db.models.functions import Now

from archive.models import Alert, AlertMode, Arrival, Match, SavedSearch

if TYPE_CHECKING:
    from archive.models.collections import Person

MOST_COUNTED = 100  # by the bell: "99+"
SHOWN = 24  # matches of a group
MOST_GROUPS = 50  # on a page; what is read makes room for the others


@dataclass(frozen=True)
class Group:
    """What one alert found, the newest first; `more` are not among `matches`."""

    alert: Alert
    matches: list[Match]
    count: int
    unread: int

    @property
    def more(self) -> int:
        return self.count - len(self.matches)


def switch_on(saved: SavedSearch, person: User, mode: str = AlertMode.BALANCED, *, by_mail: bool = True) -> Alert:
    """From now on what is new in it is told to `person`."""
    chosen = {"active": True, "mode": AlertMode(mode), "by_mail": by_mail, "trouble": "", "try_after": None}
    alert, _ = Alert.objects.update_or_create(search=saved, person=person, defaults=chosen)
    return alert


def switch_off(saved: SavedSearch, person: User) -> None:
    """What it found stays, until it is read."""
    Alert.objects.filter(search=saved, person=person).update(active=False, trouble="", try_after=None)
    Arrival.objects.filter(alert__search=saved, alert__person=person).delete()


def find_alert(saved: SavedSearch, person: User) -> Alert | None:
    return Alert.objects.filter(search=saved, person=person, active=True).select_related("webhook").first()


def count_unread(person: Person) -> int:
    """At most `MOST_COUNTED`. Every page shows it, so whoever has no alert costs the least statement there is."""
    if not person.is_authenticated or not Alert.objects.filter(person=person.pk).exists():
        return 0
    unread = Match.objects.visible_to(person).unread().order_by()
    return unread.values("pk")[:MOST_COUNTED].count()


def find_groups(person: User, *, unread_only: bool) -> list[Group]:
    """What the alerts of `person` found and they may still see, by alert, the latest first."""
    found = Match.objects.visible_to(person)
    if unread_only:
        found = found.unread()
    counted = found.order_by().values("alert").annotate(count=Count("pk"), last=Max("pk"), read=Count("read_at"))
    rows = list(counted.order_by("-last")[:MOST_GROUPS])
    alerts = Alert.objects.select_related("search").defer("search__picture", "search__stamp")
    by_id = alerts.in_bulk([row["alert"] for row in rows])
    return [
        Group(
            by_id[row["alert"]],
            list(found.filter(alert=row["alert"]).select_related("asset").defer("asset__exif", "asset__notes")[:SHOWN]),
            row["count"],
            row["count"] - row["read"],
        )
        for row in rows
        if row["alert"] in by_id
    ]


def mark_read(person: User, *, alert: Alert | None = None, until: int | None = None) -> int:
    """All of them, those of one alert, or what was found up to the match `until`: not what came since it was shown,
    nor what nobody can see now and may come back."""
    unread = Match.objects.visible_to(person).unread().order_by()
    if alert is not None:
        unread = unread.filter(alert=alert)
    if until is not None:
        unread = unread.filter(pk__lte=until)
    return unread.update(read_at=Now())

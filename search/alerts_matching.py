"""New assets are compared with what people wait for, once each, and what matches is written down.

A batch is one transaction: matches, calls of webhooks and the end of the arrivals. Who is killed leaves the
arrivals for the next. An alert that cannot look now (the worker that reads words is away, the picture it starts from
lies in the trash or in quarantine) is owed them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.utils.timezone import now

from archive.models import Alert, Arrival, Asset, Collection, Delivery, Match, SavedSearch, Space, Webhook
from search.alerts_asking import Asked, ask_again
from search.alerts_inverse import Matched, find_matches, moments_of
from search.failures import SEED_GONE, EncoderUnavailable, NotAnswered, NotEncodedYet, SpaceGone, UnknownAsset
from search.query import BadQuery, Mode, Query
from search.saved import query_of
from search.sight import sight_of
from search.spaces import asked_again

if TYPE_CHECKING:
    from archive.models.collections import Person

BATCH = 256
# So that matches become visible in the order of their numbers: "read up to this one" must not reach what was
# written before it and seen after it.
TAKE_TURNS = "SELECT pg_advisory_xact_lock(hashtext('sightline matches'), 0)"
PASSING = (EncoderUnavailable, NotEncodedYet)
PAUSE = timedelta(seconds=60)
SEED_PAUSE = timedelta(minutes=10)
OWED = timedelta(days=30)  # to an alert whose seed is hidden: as long as trash is kept, and no longer


@dataclass
class Done:
    """`more`: there was more to do than time."""

    assets: int = 0
    matches: int = 0
    more: bool = False


@dataclass
class Questions:
    """Alerts that can look now, each with its question, and those that must look later."""

    ready: list[tuple[Alert, Asked]] = field(default_factory=list)
    later: list[Alert] = field(default_factory=list)


def match_new(budget: float = float("inf")) -> Done:
    """Compare what arrived, for `budget` seconds at most."""
    until, done = time.monotonic() + budget, Done()
    read: dict[int, Questions] = {}
    while asked_again(lambda: _match_batch(done, read)):
        if time.monotonic() > until:
            done.more = True
            return done
    for alert in _owed_alerts():
        while asked_again(lambda alert=alert: _match_owed(alert, done)):  # type: ignore[misc]
            if time.monotonic() > until:
                done.more = True
                return done
    return done


def _match_batch(done: Done, read: dict[int, Questions]) -> bool:
    """One batch for all alerts; returns whether there may be another. `read`: the questions, by space."""
    space = Space.objects.active()
    if space is None or not Arrival.objects.due(space).filter(alert=None).exists():
        return False
    if space.pk not in read:  # before the locks: words may have to be read by a worker
        read[space.pk] = _read(list(_live_alerts()), space)
    questions = read[space.pk]
    with transaction.atomic():
        arrivals = _claim(space, None)
        assets = [arrival.asset_id for arrival in arrivals]
        done.matches += _write(questions, space, assets)
        owed = [Arrival(asset_id=asset, alert=alert) for alert in questions.later for asset in assets]
        Arrival.objects.bulk_create(owed, ignore_conflicts=True)
        _end(arrivals)
    done.assets += len(arrivals)
    return len(arrivals) == BATCH


def _match_owed(alert: Alert, done: Done) -> bool:
    """What one alert could not look at when it came."""
    space = Space.objects.active()
    if space is None:
        return False
    questions = _read([alert], space)
    if questions.later:
        return False
    with transaction.atomic():
        arrivals = _claim(space, alert)
        done.matches += _write(questions, space, [arrival.asset_id for arrival in arrivals])
        _end(arrivals)
    done.assets += len(arrivals)
    return len(arrivals) == BATCH


def _live_alerts() -> Iterable[Alert]:
    """Those that found no way to look last time come last: they must not keep the others waiting."""
    alerts = Alert.objects.live().select_related("search", "person").defer("search__picture", "search__stamp")
    return alerts.order_by("trouble", "pk")


def _owed_alerts() -> Iterable[Alert]:
    space = Space.objects.active()
    if space is None:
        return []
    owing = Arrival.objects.due(space).exclude(alert=None).values("alert")
    waiting = set(owing.values_list("alert", flat=True))
    return [alert for alert in _live_alerts() if alert.pk in waiting]


def _read(alerts: list[Alert], space: Space) -> Questions:
    """Make their questions ready. Trouble is noted on the alert, and gone when it is over."""
    found, silent = Questions(), False
    people = {alert.person_id: alert.person for alert in alerts}
    sights = {pk: sight_of(person) for pk, person in people.items()}
    seen = {pk: set(SavedSearch.objects.visible_to(one).values_list("pk", flat=True)) for pk, one in people.items()}
    for alert in alerts:
        if alert.search_id not in seen[alert.person_id]:
            continue  # not shared any more
        try:
            if silent:  # it did not answer the one before: nobody waits for it twice
                raise EncoderUnavailable
            query = query_of(alert.search)
            asked = ask_again(query, alert.person, Mode(alert.mode), space, sights[alert.person_id])
        except PASSING as error:
            silent = silent or isinstance(error, EncoderUnavailable)
            found.later.append(alert)
            _note(alert, str(error), pause=PAUSE)
        except SpaceGone:
            raise
        except UnknownAsset:
            if _may_come_back(query, alert.person):
                found.later.append(alert)
                _note(alert, SEED_GONE, pause=SEED_PAUSE)
            else:
                _note(alert, SEED_GONE)
        except (BadQuery, NotAnswered) as error:
            _note(alert, str(error))
        else:
            found.ready.append((alert, asked))
            _note(alert, "")
    return found


def _may_come_back(query: Query, person: Person) -> bool:
    """Whether its seeds are only hidden. What is gone for good, or not shared any more, is not waited for."""
    seeds = {seed for seed in (query.like, query.unlike) if seed}
    shared = Collection.objects.visible_to(person).order_by().values("pk")
    return Asset.objects.filter(uuid__in=seeds, collection__in=shared).count() == len(seeds)


def forget_owed() -> None:
    """What an alert could not look at for so long, because the picture that it starts from is away."""
    Arrival.objects.filter(alert__trouble=SEED_GONE, arrived_at__lt=now() - OWED).delete()


def _note(alert: Alert, trouble: str, *, pause: timedelta | None = None) -> None:
    after = now() + pause if pause else None
    if alert.trouble != trouble or after or alert.try_after:
        Alert.objects.filter(pk=alert.pk).update(trouble=trouble[:300], try_after=after)


def _claim(space: Space, alert: Alert | None) -> list[Arrival]:
    waiting = Arrival.objects.due(space).filter(alert=alert).order_by("pk")
    return list(waiting.select_for_update(skip_locked=True, of=("self",))[:BATCH])


def _end(arrivals: list[Arrival]) -> None:
    Arrival.objects.filter(pk__in=[arrival.pk for arrival in arrivals]).delete()


def _write(questions: Questions, space: Space, assets: list[int]) -> int:
    """Matches, and a call for each webhook of an alert that has new ones."""
    if not assets or not questions.ready:
        return 0
    found = find_matches([asked for _, asked in questions.ready], space, assets)
    with connection.cursor() as cursor:
        cursor.execute(TAKE_TURNS)
    known = set(Match.objects.filter(asset__in=assets).values_list("alert", "asset"))
    new = [
        (alert, match)
        for (alert, _), matches in zip(questions.ready, found, strict=True)
        for match in matches
        if (alert.pk, match.asset) not in known
    ]
    moments = moments_of([match for _, match in new])
    rows = [
        Match(alert=alert, asset_id=match.asset, closeness=match.closeness, at=moments.get(match.frame, 0.0))
        for alert, match in new
    ]
    Match.objects.bulk_create(rows, ignore_conflicts=True)
    _call(new)
    return len(new)


def _call(new: list[tuple[Alert, Matched]]) -> None:
    by_alert: dict[int, list[int]] = {}
    for alert, match in new:
        by_alert.setdefault(alert.pk, []).append(match.asset)
    hooks = Webhook.objects.filter(alert__in=by_alert)
    Delivery.objects.bulk_create(Delivery(webhook=hook, assets=by_alert[hook.alert_id]) for hook in hooks)

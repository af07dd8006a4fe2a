"""What cannot be compared now is owed: nothing that arrives is lost or told twice, whatever fails meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.contrib.auth.models import User
from django.db import connection

from archive.alerts import something_waits
from archive.models import Alert, Arrival, Asset, Collection, Delivery, Match, Space, Webhook
from search import alerts_asking, alerts_matching
from search.alerts import switch_on
from search.alerts_matching import forget_owed, match_new
from search.failures import EncoderUnavailable
from search.query import Query
from search.saved import save_search
from tests.prepared import make_encoded, random_rows
from tests.search.alerting import arrive, told
from workers.client import Encoded, remember_text

pytestmark = pytest.mark.django_db


def test_what_cannot_be_read_now_is_owed_and_keeps_nobody_waiting(
    harbour: Collection, fake_space: Space, photos: Alert, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = switch_on(save_search(Query(text="red boat"), "boats", bob), bob)
    with monkeypatch.context() as away:

        def no_answer(*_: Any) -> None:
            raise EncoderUnavailable("nobody there")

        away.setattr(alerts_asking, "encode_terms", no_answer)
        assets = arrive(harbour, fake_space)
        match_new()
    assert told(photos) == [asset.pk for asset in assets]
    assert told(words) == []
    assert set(Arrival.objects.values_list("alert", flat=True)) == {words.pk}
    words.refresh_from_db()
    assert "search worker does not answer" in words.trouble
    remember_text(fake_space, "red boat", Encoded(random_rows(1)[0]))
    assert match_new().assets == 0  # not at once
    Alert.objects.update(try_after=None)
    match_new()
    assert told(words) == [asset.pk for asset in assets]  # an archive so small has no line
    words.refresh_from_db()
    assert (words.trouble, Arrival.objects.count()) == ("", 0)


def test_an_alert_whose_seed_is_gone_says_so(harbour: Collection, fake_space: Space, bob: User) -> None:
    seed, *_ = make_encoded(harbour, fake_space, random_rows(30))
    alert = switch_on(save_search(Query(like=seed.uuid), "like it", bob), bob)
    Asset.objects.filter(pk=seed.pk).delete()
    arrive(harbour, fake_space)
    match_new()
    alert.refresh_from_db()
    assert "starts from is gone" in alert.trouble
    assert told(alert) == []
    assert not Arrival.objects.exists()


@pytest.mark.parametrize("away", [{"trashed_at": "2024-01-01T00:00Z"}, {"quarantined": True}])
def test_an_alert_whose_seed_is_hidden_looks_when_it_is_back(
    harbour: Collection, fake_space: Space, bob: User, away: dict[str, Any]
) -> None:
    seed, *_ = make_encoded(harbour, fake_space, random_rows(3))
    alert = switch_on(save_search(Query(like=seed.uuid), "like it", bob), bob)
    Asset.objects.filter(pk=seed.pk).update(**away)
    assets = arrive(harbour, fake_space)
    match_new()
    alert.refresh_from_db()
    assert "starts from is gone" in alert.trouble
    assert told(alert) == []
    assert Arrival.objects.filter(alert=alert).count() == 3
    assert not something_waits()  # not at once
    Asset.objects.filter(pk=seed.pk).update(trashed_at=None, quarantined=False)
    Alert.objects.update(try_after=None)
    match_new()
    assert told(alert) == [asset.pk for asset in assets]  # an archive so small has no line
    alert.refresh_from_db()
    assert (alert.trouble, Arrival.objects.count()) == ("", 0)


def test_what_is_owed_for_the_sake_of_a_hidden_seed_is_forgotten_one_day(
    harbour: Collection, fake_space: Space, bob: User
) -> None:
    seed, *_ = make_encoded(harbour, fake_space, random_rows(3))
    switch_on(save_search(Query(like=seed.uuid), "like it", bob), bob)
    Asset.objects.filter(pk=seed.pk).update(quarantined=True)
    old, *others = arrive(harbour, fake_space)
    match_new()
    Arrival.objects.filter(asset=old).update(arrived_at="2024-01-01T00:00Z")
    forget_owed()
    assert set(Arrival.objects.values_list("asset", flat=True)) == {asset.pk for asset in others}


def test_a_failure_in_the_middle_leaves_all_or_nothing(
    harbour: Collection, fake_space: Space, photos: Alert, monkeypatch: pytest.MonkeyPatch
) -> None:
    Webhook.objects.create(alert=photos, url="https://example.org/")
    assets = arrive(harbour, fake_space)
    with monkeypatch.context() as broken:
        broken.setattr(alerts_matching, "_end", lambda arrivals: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            match_new()
    assert (Match.objects.count(), Delivery.objects.count(), Arrival.objects.count()) == (0, 0, 3)
    match_new()
    assert told(photos) == [asset.pk for asset in assets]
    assert [delivery.assets for delivery in Delivery.objects.all()] == [[asset.pk for asset in assets]]


KILLED = """
import os, signal, django
django.setup()
from search import alerts_matching
alerts_matching._end = lambda arrivals: os.kill(os.getpid(), signal.SIGKILL)
alerts_matching.match_new()
"""


@pytest.mark.django_db(transaction=True)
def test_a_process_that_is_killed_leaves_its_arrivals(harbour: Collection, fake_space: Space, photos: Alert) -> None:
    assets = arrive(harbour, fake_space)
    address = urlsplit(os.environ["DATABASE_URL"])
    database = urlunsplit(address._replace(path=f"/{connection.settings_dict['NAME']}"))
    run = subprocess.run([sys.executable, "-c", KILLED], env={**os.environ, "DATABASE_URL": database}, check=False)
    assert run.returncode == -9
    assert (Match.objects.count(), Arrival.objects.count()) == (0, 3)
    match_new()
    assert told(photos) == [asset.pk for asset in assets]


@pytest.mark.django_db(transaction=True)
def test_two_workers_share_what_came_and_tell_nothing_twice(
    harbour: Collection, fake_space: Space, photos: Alert, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In batches of two, so that both find some."""
    monkeypatch.setattr(alerts_matching, "BATCH", 2)
    assets = arrive(harbour, fake_space, count=12)

    def work() -> int:
        try:
            return match_new().assets
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        done = [job.result() for job in [pool.submit(work) for _ in range(3)]]
    assert sum(done) == 12
    assert told(photos) == [asset.pk for asset in assets]

"""Telling people by digest: once, in time, and nobody who wants none or may not see it."""

from __future__ import annotations

import re
from datetime import timedelta
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.utils.timezone import now

from archive.alerts import a_digest_is_due, something_waits
from archive.models import Alert, Asset, Collection, Digest, Every, Match, Membership, Space
from archive.models.telling import MOST_TRIES
from search.alerts import switch_off, switch_on
from search.alerts_mail import choose, send_digests, token_for
from search.query import Query
from search.saved import save_search
from tests.search.alerting import find

pytestmark = pytest.mark.django_db


def a_day_later() -> None:
    Digest.objects.filter(sent_at__isnull=False).update(sent_at=now() - timedelta(days=1, minutes=1))
    Digest.objects.update(try_after=None)


def test_one_digest_tells_all_that_was_found_and_tells_it_once(mailed: User, alert: Alert, fake_space: Space) -> None:
    other = switch_on(save_search(Query(kind="video"), "Videos", mailed), mailed)
    find(alert, fake_space, 12)
    find(other, fake_space, 2, "film")
    assert something_waits()
    assert send_digests() == 1
    (sent,) = mail.outbox
    assert isinstance(sent, EmailMultiAlternatives)
    assert sent.to == ["bob@example.org"]
    assert sent.subject == "14 new pictures: Red boats <b>, Videos"
    plain, html = str(sent.body), str(sent.alternatives[0][0])
    assert "Red boats <b>: 12 new" in plain
    assert "and 2 more" in plain
    assert "Red boats &lt;b&gt;" in html
    assert f"https://archive.example.org/saved/{alert.search.uuid}/" in plain
    assert "<img" not in html
    assert not something_waits()
    assert send_digests() == 0
    find(alert, fake_space, 1, "more")
    assert send_digests() == 0  # within the day
    a_day_later()
    assert send_digests() == 1
    assert str(mail.outbox[1].subject).startswith("1 new picture:")


def test_nobody_is_mailed_who_has_no_address_wants_none_or_may_not_see_it(
    mailed: User, alert: Alert, fake_space: Space, alice: User, settings: Any
) -> None:
    hers = switch_on(alert.search, alice)
    find(hers, fake_space, 2, "hers")
    assert not a_digest_is_due()
    find(alert, fake_space)
    Membership.objects.all().delete()
    assert send_digests() == 0
    assert Match.objects.filter(alert=alert, mailed_at=None).count() == 0  # and not later either
    Membership.objects.create(collection=Collection.objects.get(slug="harbour"), user=mailed)
    quiet = switch_on(alert.search, mailed, by_mail=False)
    find(quiet, fake_space, 2, "quiet")
    assert not a_digest_is_due()
    switch_on(alert.search, mailed)
    settings.SIGHTLINE_URL = ""
    assert not a_digest_is_due()
    assert send_digests() == 0
    settings.SIGHTLINE_URL = "https://archive.example.org"
    switch_off(alert.search, mailed)
    assert send_digests() == 0
    assert mail.outbox == []


@pytest.mark.parametrize("away", [{"trashed_at": "2024-01-01T00:00Z"}, {"quarantined": True}])
def test_what_was_hidden_when_the_digest_went_out_stands_in_a_later_one(
    mailed: User, alert: Alert, fake_space: Space, away: dict[str, Any]
) -> None:
    held, *_ = find(alert, fake_space, 2)
    Asset.objects.filter(pk=held.pk).update(**away)
    assert send_digests() == 1
    assert "boat-00000" not in str(mail.outbox[0].body)
    a_day_later()
    assert not a_digest_is_due()  # what cannot be told rings no bell
    Asset.objects.filter(pk=held.pk).update(trashed_at=None, quarantined=False)
    assert a_digest_is_due()
    assert send_digests() == 1
    assert "boat-00000" in str(mail.outbox[1].body)
    assert not Match.objects.filter(mailed_at=None).exists()


def test_who_gives_an_address_is_not_told_of_what_is_long_past(mailed: User, alert: Alert, fake_space: Space) -> None:
    choose(mailed, Every.DAY, "")
    mailed.refresh_from_db()
    find(alert, fake_space)
    choose(mailed, Every.HOUR, "bob@example.org")
    assert send_digests() == 0
    find(alert, fake_space, 1, "new")
    assert send_digests() == 1


def test_mail_that_fails_loses_nothing_and_is_given_up_in_the_end(
    mailed: User, alert: Alert, fake_space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    find(alert, fake_space)
    with monkeypatch.context() as broken:

        def down(_: Any) -> int:
            raise SMTPServerDisconnected("gone")

        broken.setattr(EmailMultiAlternatives, "send", down)
        assert send_digests() == 0
        assert not something_waits()  # not at once
        for _ in range(MOST_TRIES + 3):
            Digest.objects.update(try_after=None)
            send_digests()
    digest = Digest.objects.get()
    assert digest.tries == MOST_TRIES
    assert "for the last time" in digest.error
    Digest.objects.update(try_after=None)
    assert send_digests() == 0
    assert Match.objects.filter(mailed_at=None).count() == 3
    choose(mailed, Every.DAY, mailed.email)
    assert send_digests() == 1
    assert str(mail.outbox[0].subject).startswith("3 new pictures")


def test_a_refused_address_keeps_no_other_waiting_and_a_server_that_is_away_is_asked_once(
    mailed: User, alert: Alert, fake_space: Space, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    User.objects.filter(pk=alice.pk).update(email="alice@example.org")
    hers = switch_on(alert.search, alice)
    find(alert, fake_space)
    find(hers, fake_space, 2, "hers")
    asked: list[str] = []

    def refused(message: EmailMultiAlternatives) -> int:
        asked.append(message.to[0])
        raise failures[-1]

    failures: list[Exception] = []
    for failure, tried in ((SMTPRecipientsRefused({}), 2), (ConnectionRefusedError(), 1)):
        failures.append(failure)
        Digest.objects.update(try_after=None)
        asked.clear()
        with monkeypatch.context() as broken:
            broken.setattr(EmailMultiAlternatives, "send", refused)
            assert send_digests() == 0
        assert len(asked) == tried
    Digest.objects.update(try_after=None)
    assert send_digests() == 2


def test_a_digest_that_is_repeated_after_a_crash_can_be_told_by_its_id(
    mailed: User, alert: Alert, fake_space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    find(alert, fake_space)
    send = EmailMultiAlternatives.send
    with monkeypatch.context() as broken:

        def send_and_die(message: EmailMultiAlternatives) -> int:
            send(message)
            raise KeyboardInterrupt

        broken.setattr(EmailMultiAlternatives, "send", send_and_die)
        with pytest.raises(KeyboardInterrupt):
            send_digests()
    assert send_digests() == 1
    first, second = mail.outbox
    assert first.extra_headers["Message-ID"] == second.extra_headers["Message-ID"]


def test_the_link_in_a_digest_stops_it_without_logging_in(
    mailed: User, alert: Alert, fake_space: Space, client: Client
) -> None:
    find(alert, fake_space)
    send_digests()
    header = mail.outbox[0].extra_headers["List-Unsubscribe"]
    address = re.sub(r"^<https://archive.example.org|>$", "", header)
    assert address in str(mail.outbox[0].body)
    assert client.get(address).status_code == 200
    assert Digest.objects.get().every == Every.DAY  # looking is not choosing
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(address, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert Digest.objects.get().every == Every.NEVER
    forged = token_for(mailed)[:-3] + "xyz"
    assert client.post(f"/alerts/stop/{forged}/").status_code == 404

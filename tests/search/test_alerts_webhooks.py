"""Telling programs by webhook: signed, tried again, and only of what may be seen."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils.timezone import now

from archive.models import Alert, Asset, Delivery, DeliveryState, Membership, Space, Webhook
from archive.models.telling import MOST_TRIES
from search import alerts_hooks
from search.alerts_hooks import deliver, secret_of, set_hook, try_again
from tests.search.alerting import call, find
from tests.search.receiver import Receiver

pytestmark = pytest.mark.django_db


def test_a_call_is_signed_and_says_what_was_found(alert: Alert, fake_space: Space, receiver: Receiver) -> None:
    _, secret = set_hook(alert, receiver.url)
    one = call(alert, find(alert, fake_space))
    call_command("alerts", "run")
    ((headers, body),) = receiver.got
    signed = f"{headers['Sightline-Timestamp']}.".encode() + body
    assert headers["Sightline-Signature"] == "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    assert abs(int(headers["Sightline-Timestamp"]) - time.time()) < 60
    assert headers["path"] == "/hook?a=1"
    told = json.loads(body)
    assert told["delivery"] == headers["Sightline-Delivery"] == str(one.uuid)
    assert told["saved_search"] == str(alert.search.uuid)
    assert [asset["filename"] for asset in told["assets"]] == ["boat-00000.jpg", "boat-00001.jpg", "boat-00002.jpg"]
    assert told["assets"][0]["url"].startswith("https://archive.example.org/assets/")
    one.refresh_from_db()
    assert (one.state, one.status, one.tries) == (DeliveryState.SENT, 200, 1)
    assert deliver() == 0


def test_the_secret_is_shown_once_and_stands_nowhere(
    alert: Alert, bob: User, receiver: Receiver, client: Client
) -> None:
    client.force_login(bob)
    address = f"/saved/{alert.search.uuid}/webhook/"
    shown = client.post(address, {"do": "set", "url": receiver.url})
    hook = Webhook.objects.get()
    secret = secret_of(hook)
    assert secret in shown.content.decode()
    assert shown["Cache-Control"] == "no-store"
    assert secret not in client.get(f"/saved/{alert.search.uuid}/edit/").content.decode()
    assert secret not in str(Webhook.objects.values_list())
    client.post(address, {"do": "set", "url": receiver.url})
    hook.refresh_from_db()
    assert secret_of(hook) != secret
    client.post(address, {"do": "remove"})
    assert not Webhook.objects.exists()
    assert client.post(address, {"do": "set", "url": "https://10.0.0.1/"}).status_code == 400


@pytest.mark.parametrize("answer", [500, 404, 302])
def test_a_call_that_fails_is_tried_again_and_given_up_in_the_end(
    alert: Alert, fake_space: Space, receiver: Receiver, answer: int
) -> None:
    set_hook(alert, receiver.url)
    receiver.answer = answer
    one = call(alert, find(alert, fake_space))
    deliver()
    deliver()
    assert len(receiver.got) == 1  # not at once, and where a redirect leads nobody was asked
    one.refresh_from_db()
    assert one.state == DeliveryState.WAITING
    assert one.try_after > now()
    assert str(answer) in one.note
    for _ in range(MOST_TRIES + 2):
        Delivery.objects.update(try_after=now())
        deliver()
    one.refresh_from_db()
    assert (one.state, one.tries, len(receiver.got)) == (DeliveryState.FAILED, MOST_TRIES, MOST_TRIES)
    assert len({headers["Sightline-Delivery"] for headers, _ in receiver.got}) == 1
    receiver.answer = 204
    assert try_again(alert.webhook) == 1
    assert deliver() == 1


@pytest.mark.django_db(transaction=True)
def test_a_call_is_counted_before_it_is_made_and_holds_no_transaction(
    alert: Alert, fake_space: Space, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_hook(alert, receiver.url)
    one = call(alert, find(alert, fake_space))
    held: list[bool] = []

    def killed(*_: Any) -> int:
        held.append(connection.in_atomic_block)
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(alerts_hooks, "post", killed)
        for tries in range(1, MOST_TRIES + 1):
            with pytest.raises(KeyboardInterrupt):
                deliver()
            one.refresh_from_db()
            assert (one.state, one.tries) == (DeliveryState.WAITING, tries)
            assert one.try_after > now()
            assert deliver() == 0  # not at once
            Delivery.objects.update(try_after=now())
        assert deliver() == 0
    one.refresh_from_db()
    assert (one.state, one.note, one.tries) == (DeliveryState.FAILED, "The last call was cut off.", MOST_TRIES)
    assert held == [False] * MOST_TRIES
    try_again(alert.webhook)
    assert deliver() == 1


@pytest.mark.parametrize("away", [{"trashed_at": "2024-01-01T00:00Z"}, {"quarantined": True}])
def test_what_is_hidden_when_a_call_is_due_is_told_when_it_is_back(
    alert: Alert, fake_space: Space, receiver: Receiver, away: dict[str, Any]
) -> None:
    set_hook(alert, receiver.url)
    seen, hidden, alone = find(alert, fake_space)
    call(alert, [seen, hidden])
    call(alert, [alone])
    Asset.objects.filter(pk__in=[hidden.pk, alone.pk]).update(**away)
    assert deliver() == 1
    assert Delivery.objects.filter(state=DeliveryState.WAITING, tries=0, try_after__gt=now()).count() == 2
    Asset.objects.update(trashed_at=None, quarantined=False)
    Delivery.objects.update(try_after=now())
    assert deliver() == 2
    told = [asset["asset"] for _, body in receiver.got for asset in json.loads(body)["assets"]]
    assert told[0] == str(seen.uuid)
    assert sorted(told[1:]) == sorted([str(hidden.uuid), str(alone.uuid)])
    assert len({headers["Sightline-Delivery"] for headers, _ in receiver.got}) == 3


def test_what_may_not_be_seen_any_more_is_not_told(alert: Alert, fake_space: Space, receiver: Receiver) -> None:
    set_hook(alert, receiver.url)
    first, second = find(alert, fake_space, 2)
    Asset.objects.filter(pk=second.pk).update(trashed_at=now())
    both = call(alert, [first, second])
    deliver()
    assert [asset["asset"] for asset in json.loads(receiver.got[0][1])["assets"]] == [str(first.uuid)]
    Membership.objects.all().delete()
    none = call(alert, [first, second])
    deliver()
    for one, state in ((both, DeliveryState.SENT), (none, DeliveryState.DROPPED)):
        one.refresh_from_db()
        assert one.state == state
    assert len(receiver.got) == 1

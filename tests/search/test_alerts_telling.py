"""Telling people by digest and programs by webhook: once, in time, signed, and nowhere that it must not reach."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils.timezone import now

from archive.alerts import a_digest_is_due, something_waits
from archive.models import (
    Alert,
    Asset,
    Collection,
    Delivery,
    DeliveryState,
    Digest,
    Every,
    Kind,
    Match,
    Membership,
    Space,
    Webhook,
)
from archive.models.telling import MOST_TRIES
from search import alerts_hooks, alerts_http
from search.alerts import switch_off, switch_on
from search.alerts_hooks import deliver, secret_of, set_hook, try_again
from search.alerts_http import CallFailed, RefusedAddress, Target, post, resolve
from search.alerts_mail import choose, send_digests, token_for
from search.query import Query
from search.saved import save_search
from tests.prepared import make_encoded, random_rows

pytestmark = pytest.mark.django_db
LOOPBACK = ["127.0.0.0/8"]


@pytest.fixture
def mailed(settings: Any, bob: User) -> User:
    """Bob with an address, in an archive that sends e-mail (pytest-django keeps it in a list)."""
    settings.SIGHTLINE_URL = "https://archive.example.org"
    bob.email = "bob@example.org"
    bob.save()
    return bob


@pytest.fixture
def alert(harbour: Collection, fake_space: Space, bob: User) -> Alert:
    return switch_on(save_search(Query(text="red <boat>"), "Red\u2028boats <b>", bob, harbour), bob)


def find(alert: Alert, space: Space, count: int = 3, prefix: str = "boat") -> list[Asset]:
    harbour = Collection.objects.get(slug="harbour")
    assets = make_encoded(harbour, space, random_rows(count), prefix=prefix)
    Match.objects.bulk_create(Match(alert=alert, asset=asset) for asset in assets)
    return assets


def a_day_later() -> None:
    Digest.objects.filter(sent_at__isnull=False).update(sent_at=now() - timedelta(days=1, minutes=1))
    Digest.objects.update(try_after=None)


# ---- digests -----------------------------------------------------------------------------------


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


def test_people_choose_on_the_page(mailed: User, client: Client) -> None:
    client.force_login(mailed)
    client.post("/alerts/mail/", {"address": "new@example.org", "every": "week"})
    mailed.refresh_from_db()
    assert (mailed.email, Digest.objects.get().every) == ("new@example.org", "week")
    for wrong in (
        {"address": "nonsense", "every": "day"},
        {"address": "a@example.org\r\nBcc: b@example.org", "every": "day"},
    ):
        client.post("/alerts/mail/", wrong)
    client.post("/alerts/mail/", {"address": "other@example.org", "every": "x"})
    mailed.refresh_from_db()
    assert mailed.email == "new@example.org"


def test_what_was_found_in_a_video_leads_to_its_second(
    mailed: User, alert: Alert, fake_space: Space, receiver: Receiver, client: Client
) -> None:
    film, photo = find(alert, fake_space, 2)
    Asset.objects.filter(pk=film.pk).update(kind=Kind.VIDEO)
    Match.objects.filter(asset=film).update(at=42.5)
    pages = [f"{film.get_absolute_url()}?t=42.50", photo.get_absolute_url()]
    client.force_login(mailed)
    page = client.get("/alerts/").content.decode()
    assert all(f'href="{address}"' in page for address in pages)
    answer = client.get("/api/v1/saved-searches/matches").json()
    assert sorted(match["url"] for match in answer["results"]) == sorted(pages)
    send_digests()
    body = str(mail.outbox[0].body)
    assert all(f"https://archive.example.org{address}\n" in body for address in pages)
    set_hook(alert, receiver.url)
    call(alert, [film, photo])
    deliver()
    told = [asset["url"] for asset in json.loads(receiver.got[0][1])["assets"]]
    assert told == [f"https://archive.example.org{address}" for address in pages]


# ---- webhooks ----------------------------------------------------------------------------------


class Receiver(HTTPServer):
    """Notes what it gets, and answers what it is told to."""

    answer = 200
    pause = 0.0
    size = 0

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        super().__init__(("127.0.0.1", 0), Answering)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?a=1"

    @property
    def target(self) -> Target:
        return Target("http", "127.0.0.1", self.server_port, "/", ("127.0.0.1",))


class Answering(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(({**self.headers, "path": self.path}, body))
        self.send_response(self.server.answer)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()
        for _ in range(self.server.size):
            self.wfile.write(b"x" * 1024)
            time.sleep(self.server.pause)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.SIGHTLINE_HOOK_NETWORKS = LOOPBACK
    settings.SIGHTLINE_URL = "https://archive.example.org"
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def call(alert: Alert, assets: list[Asset]) -> Delivery:
    return Delivery.objects.create(webhook=alert.webhook, assets=[asset.pk for asset in assets])


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


@pytest.mark.parametrize(
    "url",
    [
        *("https://127.0.0.1/", "https://localhost/", "https://10.1.2.3/", "https://192.168.0.1/", "https://172.16.0.1/"),
        *("https://169.254.169.254/latest/meta-data/", "https://100.64.0.1/", "https://0.0.0.0/", "https://0/"),
        *("https://[::1]/", "https://[fe80::1]/", "https://[fd00::1]/", "https://[::ffff:127.0.0.1]/"),
        *("https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://2130706433/", "https://0x7f.1/"),
        *("https://224.0.0.1/", "https://255.255.255.255/", "https://[ff02::1]/", "https://[::]/"),
        *("http://93.184.216.34/", "ftp://93.184.216.34/", "https:///x", "https://u:p@93.184.216.34/", "//x", "x"),
        *("https://93.184.216.34:22/", "https://93.184.216.34:99999/", "https://a b/", "https://a\r\nX: y/", "https://ü.example/"),
        *("https://nowhere.invalid/", "https://" + "x" * 600, "", "https://[::1", "https://93.184.216.34:0/"),
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_refused_in_words(url: str) -> None:
    with pytest.raises(RefusedAddress, match=r"^[A-Za-z].*\.$"):
        resolve(url)


def test_a_name_with_one_private_address_among_others_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(RefusedAddress, match="not public"):
        resolve("https://example.org/")


def test_a_deployment_may_allow_a_network_of_its_own() -> None:
    assert resolve("http://10.1.2.3/x", ["10.1.0.0/16"]).addresses == ("10.1.2.3",)
    assert resolve("https://10.1.2.3:8443/x", ["10.1.2.3"]).port == 8443
    with pytest.raises(RefusedAddress):
        resolve("http://10.2.0.1/x", ["10.1.0.0/16"])


def test_the_connection_goes_to_the_address_that_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that answers otherwise the second time is not asked a second time."""
    answers = iter(["93.184.216.34", "127.0.0.1"])
    connected: list[Any] = []

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket, "create_connection", connect)
    target = resolve("https://example.org/")
    with pytest.raises(CallFailed):
        post(target, b"{}", {})
    assert connected == [("93.184.216.34", 443)]


def test_an_answer_without_end_is_cut_off_in_length_and_in_time(receiver: Receiver) -> None:
    target = receiver.target
    receiver.size = 2000
    assert post(target, b"{}", {}) == 200
    receiver.size, receiver.pause = 50, 0.1
    began = time.monotonic()
    with pytest.raises(CallFailed, match="TimeoutError"):
        post(target, b"{}", {}, seconds=0.6)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("trickle", [b"H", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: y\r\n", b"\x16"])
def test_no_call_is_longer_than_its_time_whatever_trickles_in(scheme: str, trickle: bytes) -> None:
    """Each part comes long before a socket would time out, and there is no end to them."""
    over = threading.Event()

    def feed() -> None:
        there, _ = listening.accept()
        with there:
            try:
                for _ in range(1000):
                    there.sendall(trickle)
                    if over.wait(0.05):
                        return
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        thread = threading.Thread(target=feed)
        thread.start()
        began = time.monotonic()
        with pytest.raises(CallFailed):
            post(Target(scheme, "example.org", port, "/", ("127.0.0.1",)), b"{}", {}, seconds=0.4)
        assert time.monotonic() - began < 2
        over.set()
        thread.join()


def test_a_name_that_nobody_answers_for_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(30) and [])
    monkeypatch.setattr(alerts_http, "LOOK_UP_SECONDS", 0.1)
    began = time.monotonic()
    with pytest.raises(RefusedAddress, match="nobody knows its name"):
        resolve("https://example.org/")
    over.set()
    assert time.monotonic() - began < 2


def test_a_certificate_has_to_be_of_the_name(receiver: Receiver) -> None:
    target = replace(receiver.target, scheme="https", host="example.org")
    with pytest.raises(CallFailed, match="SSL"):
        post(target, b"{}", {})

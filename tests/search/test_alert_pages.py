"""What people see of their alerts, on pages and elsewhere: what is unread, what they choose, and where it leads."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client

from archive.models import Alert, AlertMode, Asset, Collection, Digest, Kind, Match, SavedSearch, Space
from search.alerts import count_unread, find_groups, mark_read
from search.alerts_hooks import deliver, set_hook
from search.alerts_mail import send_digests
from search.alerts_matching import match_new
from search.query import Query
from search.saved import save_search
from tests.search.alerting import arrive, call, find
from tests.search.receiver import Receiver

pytestmark = pytest.mark.django_db


def test_what_was_found_before_quarantine_is_unread_afterwards(
    harbour: Collection, fake_space: Space, photos: Alert, bob: User
) -> None:
    held, _ = arrive(harbour, fake_space, count=2)
    match_new()
    Asset.objects.filter(pk=held.pk).update(quarantined=True)
    assert mark_read(bob) == 1
    assert count_unread(bob) == 0
    Asset.objects.filter(pk=held.pk).update(quarantined=False)
    assert count_unread(bob) == 1


def test_read_is_what_was_shown_and_not_what_came_since(
    harbour: Collection, fake_space: Space, photos: Alert, bob: User, alice: User, client: Client
) -> None:
    arrive(harbour, fake_space)
    match_new()
    client.force_login(bob)
    page = client.get("/alerts/")
    assert client.get("/alerts/unread/").json() == {"unread": 3, "more": False}
    assert "<span data-count>3</span>" in page.content.decode()
    arrive(harbour, fake_space, seed=8)
    match_new()
    client.post("/alerts/read/", {"until": page.context["last"]})
    assert count_unread(bob) == 3
    client.post("/alerts/read/", {"alert": str(photos.uuid)})
    assert count_unread(bob) == 0
    assert len(find_groups(bob, unread_only=False)[0].matches) == 6
    assert "3 found" not in client.get("/alerts/").content.decode()
    assert "6 found" in client.get("/alerts/?all").content.decode()
    client.force_login(alice)
    assert client.post("/alerts/read/", {"alert": str(photos.uuid)}).status_code == 404
    assert mark_read(alice) == 0


def test_switching_on_again_changes_the_one_alert(harbour: Collection, bob: User, client: Client) -> None:
    saved = save_search(Query(kind="photo"), "photos", bob)
    client.force_login(bob)
    address = f"{saved.get_absolute_url()}alert/"
    client.post(address, {"do": "on", "mode": "strict", "mail": "1"})
    client.post(address, {"do": "on", "mode": "balanced"})
    alert = Alert.objects.get()
    assert (alert.mode, alert.by_mail, alert.active) == (AlertMode.BALANCED, False, True)
    client.post(address, {"do": "on", "mode": "loose"})
    client.post(address, {"do": "off"})
    alert.refresh_from_db()
    assert (alert.mode, alert.active) == (AlertMode.BALANCED, False)
    assert SavedSearch.objects.count() == 1


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

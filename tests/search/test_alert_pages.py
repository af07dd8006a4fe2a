"""What people see of their alerts, on pages and elsewhere: what is unread, and what they choose."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from archive.models import Alert, AlertMode, Asset, Collection, SavedSearch, Space
from search.alerts import count_unread, find_groups, mark_read
from search.alerts_matching import match_new
from search.query import Query
from search.saved import save_search
from tests.search.alerting import arrive

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

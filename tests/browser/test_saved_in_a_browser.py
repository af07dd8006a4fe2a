"""Save a search, and be told by the bell when a new upload matches: with real workers, by keyboard, on a phone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect

from archive.models import Alert, Asset, Collection, Match, SavedSearch, Space
from search.alerts import switch_on
from search.query import Query
from search.saved import save_search
from tests.browser.conftest import log_in
from tests.browser.test_main_job import SCENES, draw_file

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def accessible(page: Page) -> None:
    report = Axe().run(page)
    assert report.violations_count == 0, report.generate_report()


def test_what_is_new_and_matches_rings_the_bell(
    harbour: Collection, bob: User, drawn_space: Space, real_workers: None, page: Page, tmp_path: Path
) -> None:
    log_in(page, "bob")
    page.goto("/?q=a+red+boat")
    page.get_by_text("Save …").click()
    page.get_by_label("Name of this search").fill("Red boats")
    page.get_by_label("Tell me when something new matches").check()
    accessible(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved as “Red boats”.")).to_be_visible()
    expect(page).to_have_url(re.compile("/saved/[0-9a-f-]+/$"))
    assert Alert.objects.get().active

    page.get_by_role("link", name="Upload", exact=True).click()
    files = [draw_file(tmp_path, name, seed) for seed, name in enumerate(SCENES)]
    page.get_by_label("Choose files").set_input_files(files)
    expect(page.get_by_text("5 of 5 ready")).to_be_visible(timeout=60_000)
    bell = page.get_by_role("link", name="Alerts")
    for _ in range(40):  # the workers compare a moment later
        page.reload()
        if bell.locator(".count").is_visible():
            break
        page.wait_for_timeout(500)
    found = set(Match.objects.values_list("asset__filename", flat=True))
    assert "red-boat.jpg" in found
    expect(bell).to_have_accessible_name(f"Alerts {len(found)} new")
    bell.click()
    expect(page.get_by_role("heading", name="Red boats")).to_be_visible()
    expect(page.locator(".group .hit img[alt='red-boat.jpg']")).to_be_visible()
    accessible(page)

    page.keyboard.press("j")
    expect(page.locator(".group")).to_be_focused()
    page.keyboard.press("r")
    expect(page.get_by_role("heading", name="Nothing new")).to_be_visible()
    expect(bell.locator(".count")).to_be_hidden()
    accessible(page)


@pytest.fixture
def kept(wall: list[Asset], bob: User, harbour: Collection) -> SavedSearch:
    """A saved search with an alert that found ten pictures."""
    saved = save_search(Query(kind="photo", collection="harbour"), "Harbour photos", bob, harbour)
    alert = switch_on(saved, bob)
    Match.objects.bulk_create(Match(alert=alert, asset=asset) for asset in wall[:10])
    return saved


def test_its_pages_are_accessible_and_fit_a_phone(kept: SavedSearch, page: Page) -> None:
    log_in(page, "bob")
    page.set_viewport_size({"width": 390, "height": 844})
    for address in ("/saved/", f"/saved/{kept.uuid}/", f"/saved/{kept.uuid}/edit/", "/alerts/", "/alerts/?all"):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.goto(address)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
            accessible(page)


def test_the_settings_test_share_and_delete(kept: SavedSearch, page: Page) -> None:
    log_in(page, "bob")
    page.goto(f"/saved/{kept.uuid}/")
    expect(page.locator("#grid .hit")).to_have_count(60)
    assert page.locator(".filters").evaluate("row => row.scrollWidth <= row.clientWidth")
    page.get_by_role("link", name="Harbour photos: saved search, settings").click()
    page.get_by_role("link", name="Only what matches well").click()
    expect(page.get_by_text("The last 30 days would have given 100.")).to_be_visible()
    expect(page.locator("#test-result img")).to_have_count(12)
    page.get_by_label("Name", exact=True).fill("Photos of the harbour")
    page.get_by_role("button", name="Save", exact=True).first.click()
    expect(page.get_by_role("heading", name="Photos of the harbour")).to_be_visible()
    page.get_by_text("Webhook: call a program").click()
    page.get_by_label(re.compile("^Address")).fill("https://127.0.0.1/hook")
    page.locator("#webhook").get_by_role("button", name="Save").click()
    expect(page.get_by_text("its network is not public")).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="Delete this search").click()
    expect(page.get_by_text("is deleted")).to_be_visible()


def test_it_works_without_javascript(kept: SavedSearch, page: Page, browser: Browser, live_server: Any) -> None:
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    plain = context.new_page()
    log_in(plain, "bob")
    expect(plain.locator(".bell .count")).to_have_text("10 new")
    plain.goto("/?q=boats&kind=photo")
    plain.get_by_text("Save …").click()
    plain.get_by_role("button", name="Save", exact=True).click()
    expect(plain.get_by_text("Saved as “boats”.")).to_be_visible()
    plain.goto(f"/saved/{kept.uuid}/test/?mode=strict")
    expect(plain.get_by_text("would have given 100.")).to_be_visible()
    plain.goto("/alerts/")
    plain.get_by_role("button", name="Mark as read").first.click()
    expect(plain.get_by_role("heading", name="Nothing new")).to_be_visible()
    context.close()
